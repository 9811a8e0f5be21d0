// Made from the interfaces in `foundation/abi` by `cargo xtask generate`; do not edit.

/** Where each protocol is called. */
export const addresses = {
  coin: "0x5341484152410000000000000000000000000001",
  assets: "0x5341484152410000000000000000000000000002",
  royalties: "0x5341484152410000000000000000000000000003",
  channels: "0x5341484152410000000000000000000000000004",
  workers: "0x5341484152410000000000000000000000000005",
  system: "0x5341484152410000000000000000000000000006",
} as const;

/** Interface of `coin`, common errors included. */
export const coinAbi = [
  {
    "type": "function",
    "name": "DOMAIN_SEPARATOR",
    "inputs": [],
    "outputs": [
      {
        "name": "",
        "type": "bytes32"
      }
    ],
    "stateMutability": "view"
  },
  {
    "type": "function",
    "name": "allowance",
    "inputs": [
      {
        "name": "owner",
        "type": "address"
      },
      {
        "name": "spender",
        "type": "address"
      }
    ],
    "outputs": [
      {
        "name": "",
        "type": "uint256"
      }
    ],
    "stateMutability": "view"
  },
  {
    "type": "function",
    "name": "approve",
    "inputs": [
      {
        "name": "spender",
        "type": "address"
      },
      {
        "name": "value",
        "type": "uint256"
      }
    ],
    "outputs": [
      {
        "name": "",
        "type": "bool"
      }
    ],
    "stateMutability": "nonpayable"
  },
  {
    "type": "function",
    "name": "authorizationState",
    "inputs": [
      {
        "name": "authorizer",
        "type": "address"
      },
      {
        "name": "nonce",
        "type": "bytes32"
      }
    ],
    "outputs": [
      {
        "name": "",
        "type": "bool"
      }
    ],
    "stateMutability": "view"
  },
  {
    "type": "function",
    "name": "balanceOf",
    "inputs": [
      {
        "name": "account",
        "type": "address"
      }
    ],
    "outputs": [
      {
        "name": "",
        "type": "uint256"
      }
    ],
    "stateMutability": "view"
  },
  {
    "type": "function",
    "name": "cancelAuthorization",
    "inputs": [
      {
        "name": "authorizer",
        "type": "address"
      },
      {
        "name": "nonce",
        "type": "bytes32"
      },
      {
        "name": "v",
        "type": "uint8"
      },
      {
        "name": "r",
        "type": "bytes32"
      },
      {
        "name": "s",
        "type": "bytes32"
      }
    ],
    "outputs": [],
    "stateMutability": "nonpayable"
  },
  {
    "type": "function",
    "name": "cancelAuthorization",
    "inputs": [
      {
        "name": "authorizer",
        "type": "address"
      },
      {
        "name": "nonce",
        "type": "bytes32"
      },
      {
        "name": "signature",
        "type": "bytes"
      }
    ],
    "outputs": [],
    "stateMutability": "nonpayable"
  },
  {
    "type": "function",
    "name": "decimals",
    "inputs": [],
    "outputs": [
      {
        "name": "",
        "type": "uint8"
      }
    ],
    "stateMutability": "view"
  },
  {
    "type": "function",
    "name": "name",
    "inputs": [],
    "outputs": [
      {
        "name": "",
        "type": "string"
      }
    ],
    "stateMutability": "view"
  },
  {
    "type": "function",
    "name": "nonces",
    "inputs": [
      {
        "name": "owner",
        "type": "address"
      }
    ],
    "outputs": [
      {
        "name": "",
        "type": "uint256"
      }
    ],
    "stateMutability": "view"
  },
  {
    "type": "function",
    "name": "permit",
    "inputs": [
      {
        "name": "owner",
        "type": "address"
      },
      {
        "name": "spender",
        "type": "address"
      },
      {
        "name": "value",
        "type": "uint256"
      },
      {
        "name": "deadline",
        "type": "uint256"
      },
      {
        "name": "v",
        "type": "uint8"
      },
      {
        "name": "r",
        "type": "bytes32"
      },
      {
        "name": "s",
        "type": "bytes32"
      }
    ],
    "outputs": [],
    "stateMutability": "nonpayable"
  },
  {
    "type": "function",
    "name": "receiveWithAuthorization",
    "inputs": [
      {
        "name": "from",
        "type": "address"
      },
      {
        "name": "to",
        "type": "address"
      },
      {
        "name": "value",
        "type": "uint256"
      },
      {
        "name": "validAfter",
        "type": "uint256"
      },
      {
        "name": "validBefore",
        "type": "uint256"
      },
      {
        "name": "nonce",
        "type": "bytes32"
      },
      {
        "name": "v",
        "type": "uint8"
      },
      {
        "name": "r",
        "type": "bytes32"
      },
      {
        "name": "s",
        "type": "bytes32"
      }
    ],
    "outputs": [],
    "stateMutability": "nonpayable"
  },
  {
    "type": "function",
    "name": "receiveWithAuthorization",
    "inputs": [
      {
        "name": "from",
        "type": "address"
      },
      {
        "name": "to",
        "type": "address"
      },
      {
        "name": "value",
        "type": "uint256"
      },
      {
        "name": "validAfter",
        "type": "uint256"
      },
      {
        "name": "validBefore",
        "type": "uint256"
      },
      {
        "name": "nonce",
        "type": "bytes32"
      },
      {
        "name": "signature",
        "type": "bytes"
      }
    ],
    "outputs": [],
    "stateMutability": "nonpayable"
  },
  {
    "type": "function",
    "name": "symbol",
    "inputs": [],
    "outputs": [
      {
        "name": "",
        "type": "string"
      }
    ],
    "stateMutability": "view"
  },
  {
    "type": "function",
    "name": "totalSupply",
    "inputs": [],
    "outputs": [
      {
        "name": "",
        "type": "uint256"
      }
    ],
    "stateMutability": "view"
  },
  {
    "type": "function",
    "name": "transfer",
    "inputs": [
      {
        "name": "to",
        "type": "address"
      },
      {
        "name": "value",
        "type": "uint256"
      }
    ],
    "outputs": [
      {
        "name": "",
        "type": "bool"
      }
    ],
    "stateMutability": "nonpayable"
  },
  {
    "type": "function",
    "name": "transferFrom",
    "inputs": [
      {
        "name": "from",
        "type": "address"
      },
      {
        "name": "to",
        "type": "address"
      },
      {
        "name": "value",
        "type": "uint256"
      }
    ],
    "outputs": [
      {
        "name": "",
        "type": "bool"
      }
    ],
    "stateMutability": "nonpayable"
  },
  {
    "type": "function",
    "name": "transferWithAuthorization",
    "inputs": [
      {
        "name": "from",
        "type": "address"
      },
      {
        "name": "to",
        "type": "address"
      },
      {
        "name": "value",
        "type": "uint256"
      },
      {
        "name": "validAfter",
        "type": "uint256"
      },
      {
        "name": "validBefore",
        "type": "uint256"
      },
      {
        "name": "nonce",
        "type": "bytes32"
      },
      {
        "name": "v",
        "type": "uint8"
      },
      {
        "name": "r",
        "type": "bytes32"
      },
      {
        "name": "s",
        "type": "bytes32"
      }
    ],
    "outputs": [],
    "stateMutability": "nonpayable"
  },
  {
    "type": "function",
    "name": "transferWithAuthorization",
    "inputs": [
      {
        "name": "from",
        "type": "address"
      },
      {
        "name": "to",
        "type": "address"
      },
      {
        "name": "value",
        "type": "uint256"
      },
      {
        "name": "validAfter",
        "type": "uint256"
      },
      {
        "name": "validBefore",
        "type": "uint256"
      },
      {
        "name": "nonce",
        "type": "bytes32"
      },
      {
        "name": "signature",
        "type": "bytes"
      }
    ],
    "outputs": [],
    "stateMutability": "nonpayable"
  },
  {
    "type": "event",
    "name": "Approval",
    "inputs": [
      {
        "name": "owner",
        "type": "address",
        "indexed": true
      },
      {
        "name": "spender",
        "type": "address",
        "indexed": true
      },
      {
        "name": "value",
        "type": "uint256",
        "indexed": false
      }
    ],
    "anonymous": false
  },
  {
    "type": "event",
    "name": "AuthorizationCanceled",
    "inputs": [
      {
        "name": "authorizer",
        "type": "address",
        "indexed": true
      },
      {
        "name": "nonce",
        "type": "bytes32",
        "indexed": true
      }
    ],
    "anonymous": false
  },
  {
    "type": "event",
    "name": "AuthorizationUsed",
    "inputs": [
      {
        "name": "authorizer",
        "type": "address",
        "indexed": true
      },
      {
        "name": "nonce",
        "type": "bytes32",
        "indexed": true
      }
    ],
    "anonymous": false
  },
  {
    "type": "event",
    "name": "Transfer",
    "inputs": [
      {
        "name": "from",
        "type": "address",
        "indexed": true
      },
      {
        "name": "to",
        "type": "address",
        "indexed": true
      },
      {
        "name": "value",
        "type": "uint256",
        "indexed": false
      }
    ],
    "anonymous": false
  },
  {
    "type": "error",
    "name": "AuthorizationExpired",
    "inputs": [
      {
        "name": "validBefore",
        "type": "uint256"
      }
    ]
  },
  {
    "type": "error",
    "name": "AuthorizationInvalidSigner",
    "inputs": [
      {
        "name": "signer",
        "type": "address"
      },
      {
        "name": "authorizer",
        "type": "address"
      }
    ]
  },
  {
    "type": "error",
    "name": "AuthorizationNotForCaller",
    "inputs": [
      {
        "name": "caller",
        "type": "address"
      },
      {
        "name": "to",
        "type": "address"
      }
    ]
  },
  {
    "type": "error",
    "name": "AuthorizationNotYetValid",
    "inputs": [
      {
        "name": "validAfter",
        "type": "uint256"
      }
    ]
  },
  {
    "type": "error",
    "name": "AuthorizationUsedOrCanceled",
    "inputs": [
      {
        "name": "authorizer",
        "type": "address"
      },
      {
        "name": "nonce",
        "type": "bytes32"
      }
    ]
  },
  {
    "type": "error",
    "name": "DelegateCall",
    "inputs": []
  },
  {
    "type": "error",
    "name": "ERC20InsufficientAllowance",
    "inputs": [
      {
        "name": "spender",
        "type": "address"
      },
      {
        "name": "allowance",
        "type": "uint256"
      },
      {
        "name": "needed",
        "type": "uint256"
      }
    ]
  },
  {
    "type": "error",
    "name": "ERC20InsufficientBalance",
    "inputs": [
      {
        "name": "sender",
        "type": "address"
      },
      {
        "name": "balance",
        "type": "uint256"
      },
      {
        "name": "needed",
        "type": "uint256"
      }
    ]
  },
  {
    "type": "error",
    "name": "ERC20InvalidReceiver",
    "inputs": [
      {
        "name": "receiver",
        "type": "address"
      }
    ]
  },
  {
    "type": "error",
    "name": "ERC20InvalidSpender",
    "inputs": [
      {
        "name": "spender",
        "type": "address"
      }
    ]
  },
  {
    "type": "error",
    "name": "ERC2612ExpiredSignature",
    "inputs": [
      {
        "name": "deadline",
        "type": "uint256"
      }
    ]
  },
  {
    "type": "error",
    "name": "ERC2612InvalidSigner",
    "inputs": [
      {
        "name": "signer",
        "type": "address"
      },
      {
        "name": "owner",
        "type": "address"
      }
    ]
  },
  {
    "type": "error",
    "name": "InvalidCall",
    "inputs": []
  },
  {
    "type": "error",
    "name": "NotPayable",
    "inputs": []
  },
  {
    "type": "error",
    "name": "OnlySelf",
    "inputs": [
      {
        "name": "caller",
        "type": "address"
      }
    ]
  },
  {
    "type": "error",
    "name": "Overflow",
    "inputs": []
  },
  {
    "type": "error",
    "name": "StaticCall",
    "inputs": []
  }
] as const;

/** Interface of `assets`, common errors included. */
export const assetsAbi = [
  {
    "type": "function",
    "name": "accountOf",
    "inputs": [
      {
        "name": "asset",
        "type": "uint64"
      }
    ],
    "outputs": [
      {
        "name": "",
        "type": "address"
      }
    ],
    "stateMutability": "view"
  },
  {
    "type": "function",
    "name": "addMembers",
    "inputs": [
      {
        "name": "asset",
        "type": "uint64"
      },
      {
        "name": "members",
        "type": "tuple[]",
        "components": [
          {
            "name": "account",
            "type": "address"
          },
          {
            "name": "units",
            "type": "uint96"
          }
        ]
      }
    ],
    "outputs": [],
    "stateMutability": "nonpayable"
  },
  {
    "type": "function",
    "name": "ancestors",
    "inputs": [
      {
        "name": "asset",
        "type": "uint64"
      }
    ],
    "outputs": [
      {
        "name": "",
        "type": "tuple[]",
        "components": [
          {
            "name": "asset",
            "type": "uint64"
          },
          {
            "name": "share",
            "type": "uint16"
          }
        ]
      }
    ],
    "stateMutability": "view"
  },
  {
    "type": "function",
    "name": "approve",
    "inputs": [
      {
        "name": "to",
        "type": "address"
      },
      {
        "name": "tokenId",
        "type": "uint256"
      }
    ],
    "outputs": [],
    "stateMutability": "nonpayable"
  },
  {
    "type": "function",
    "name": "approveDerivative",
    "inputs": [
      {
        "name": "parent",
        "type": "uint64"
      },
      {
        "name": "creator",
        "type": "address"
      },
      {
        "name": "isApproved",
        "type": "bool"
      }
    ],
    "outputs": [],
    "stateMutability": "nonpayable"
  },
  {
    "type": "function",
    "name": "asset",
    "inputs": [
      {
        "name": "asset",
        "type": "uint64"
      }
    ],
    "outputs": [
      {
        "name": "",
        "type": "tuple",
        "components": [
          {
            "name": "kind",
            "type": "uint8"
          },
          {
            "name": "creator",
            "type": "address"
          },
          {
            "name": "contentHash",
            "type": "bytes32"
          },
          {
            "name": "metadataURI",
            "type": "string"
          },
          {
            "name": "inputPrice",
            "type": "uint128"
          },
          {
            "name": "outputPrice",
            "type": "uint128"
          },
          {
            "name": "derivativeRoyalty",
            "type": "uint16"
          },
          {
            "name": "derivatives",
            "type": "uint8"
          },
          {
            "name": "registeredAt",
            "type": "uint64"
          },
          {
            "name": "isSealed",
            "type": "bool"
          }
        ]
      }
    ],
    "stateMutability": "view"
  },
  {
    "type": "function",
    "name": "assetCount",
    "inputs": [],
    "outputs": [
      {
        "name": "",
        "type": "uint64"
      }
    ],
    "stateMutability": "view"
  },
  {
    "type": "function",
    "name": "assetOf",
    "inputs": [
      {
        "name": "account",
        "type": "address"
      }
    ],
    "outputs": [
      {
        "name": "",
        "type": "uint64"
      }
    ],
    "stateMutability": "view"
  },
  {
    "type": "function",
    "name": "balanceOf",
    "inputs": [
      {
        "name": "owner",
        "type": "address"
      }
    ],
    "outputs": [
      {
        "name": "",
        "type": "uint256"
      }
    ],
    "stateMutability": "view"
  },
  {
    "type": "function",
    "name": "edges",
    "inputs": [
      {
        "name": "asset",
        "type": "uint64"
      }
    ],
    "outputs": [
      {
        "name": "",
        "type": "tuple[]",
        "components": [
          {
            "name": "parent",
            "type": "uint64"
          },
          {
            "name": "relation",
            "type": "uint8"
          }
        ]
      }
    ],
    "stateMutability": "view"
  },
  {
    "type": "function",
    "name": "getApproved",
    "inputs": [
      {
        "name": "tokenId",
        "type": "uint256"
      }
    ],
    "outputs": [
      {
        "name": "",
        "type": "address"
      }
    ],
    "stateMutability": "view"
  },
  {
    "type": "function",
    "name": "isApprovedForAll",
    "inputs": [
      {
        "name": "owner",
        "type": "address"
      },
      {
        "name": "operator",
        "type": "address"
      }
    ],
    "outputs": [
      {
        "name": "",
        "type": "bool"
      }
    ],
    "stateMutability": "view"
  },
  {
    "type": "function",
    "name": "name",
    "inputs": [],
    "outputs": [
      {
        "name": "",
        "type": "string"
      }
    ],
    "stateMutability": "view"
  },
  {
    "type": "function",
    "name": "ownerOf",
    "inputs": [
      {
        "name": "tokenId",
        "type": "uint256"
      }
    ],
    "outputs": [
      {
        "name": "",
        "type": "address"
      }
    ],
    "stateMutability": "view"
  },
  {
    "type": "function",
    "name": "preview",
    "inputs": [
      {
        "name": "edges",
        "type": "tuple[]",
        "components": [
          {
            "name": "parent",
            "type": "uint64"
          },
          {
            "name": "relation",
            "type": "uint8"
          }
        ]
      },
      {
        "name": "derivativeRoyalty",
        "type": "uint16"
      },
      {
        "name": "amount",
        "type": "uint256"
      }
    ],
    "outputs": [
      {
        "name": "parts",
        "type": "tuple[]",
        "components": [
          {
            "name": "asset",
            "type": "uint64"
          },
          {
            "name": "share",
            "type": "uint16"
          },
          {
            "name": "amount",
            "type": "uint256"
          }
        ]
      },
      {
        "name": "room",
        "type": "uint16"
      }
    ],
    "stateMutability": "view"
  },
  {
    "type": "function",
    "name": "register",
    "inputs": [
      {
        "name": "registration",
        "type": "tuple",
        "components": [
          {
            "name": "kind",
            "type": "uint8"
          },
          {
            "name": "contentHash",
            "type": "bytes32"
          },
          {
            "name": "metadataURI",
            "type": "string"
          },
          {
            "name": "inputPrice",
            "type": "uint128"
          },
          {
            "name": "outputPrice",
            "type": "uint128"
          },
          {
            "name": "derivativeRoyalty",
            "type": "uint16"
          },
          {
            "name": "derivatives",
            "type": "uint8"
          },
          {
            "name": "edges",
            "type": "tuple[]",
            "components": [
              {
                "name": "parent",
                "type": "uint64"
              },
              {
                "name": "relation",
                "type": "uint8"
              }
            ]
          },
          {
            "name": "members",
            "type": "tuple[]",
            "components": [
              {
                "name": "account",
                "type": "address"
              },
              {
                "name": "units",
                "type": "uint96"
              }
            ]
          },
          {
            "name": "ownerUnits",
            "type": "uint96"
          },
          {
            "name": "isOpen",
            "type": "bool"
          }
        ]
      }
    ],
    "outputs": [
      {
        "name": "asset",
        "type": "uint64"
      }
    ],
    "stateMutability": "nonpayable"
  },
  {
    "type": "function",
    "name": "royaltyInfo",
    "inputs": [
      {
        "name": "tokenId",
        "type": "uint256"
      },
      {
        "name": "salePrice",
        "type": "uint256"
      }
    ],
    "outputs": [
      {
        "name": "receiver",
        "type": "address"
      },
      {
        "name": "royaltyAmount",
        "type": "uint256"
      }
    ],
    "stateMutability": "view"
  },
  {
    "type": "function",
    "name": "safeTransferFrom",
    "inputs": [
      {
        "name": "from",
        "type": "address"
      },
      {
        "name": "to",
        "type": "address"
      },
      {
        "name": "tokenId",
        "type": "uint256"
      }
    ],
    "outputs": [],
    "stateMutability": "nonpayable"
  },
  {
    "type": "function",
    "name": "safeTransferFrom",
    "inputs": [
      {
        "name": "from",
        "type": "address"
      },
      {
        "name": "to",
        "type": "address"
      },
      {
        "name": "tokenId",
        "type": "uint256"
      },
      {
        "name": "data",
        "type": "bytes"
      }
    ],
    "outputs": [],
    "stateMutability": "nonpayable"
  },
  {
    "type": "function",
    "name": "seal",
    "inputs": [
      {
        "name": "asset",
        "type": "uint64"
      }
    ],
    "outputs": [],
    "stateMutability": "nonpayable"
  },
  {
    "type": "function",
    "name": "setApprovalForAll",
    "inputs": [
      {
        "name": "operator",
        "type": "address"
      },
      {
        "name": "approved",
        "type": "bool"
      }
    ],
    "outputs": [],
    "stateMutability": "nonpayable"
  },
  {
    "type": "function",
    "name": "setPrices",
    "inputs": [
      {
        "name": "asset",
        "type": "uint64"
      },
      {
        "name": "inputPrice",
        "type": "uint128"
      },
      {
        "name": "outputPrice",
        "type": "uint128"
      }
    ],
    "outputs": [],
    "stateMutability": "nonpayable"
  },
  {
    "type": "function",
    "name": "supportsInterface",
    "inputs": [
      {
        "name": "interfaceId",
        "type": "bytes4"
      }
    ],
    "outputs": [
      {
        "name": "",
        "type": "bool"
      }
    ],
    "stateMutability": "view"
  },
  {
    "type": "function",
    "name": "symbol",
    "inputs": [],
    "outputs": [
      {
        "name": "",
        "type": "string"
      }
    ],
    "stateMutability": "view"
  },
  {
    "type": "function",
    "name": "tokenURI",
    "inputs": [
      {
        "name": "tokenId",
        "type": "uint256"
      }
    ],
    "outputs": [
      {
        "name": "",
        "type": "string"
      }
    ],
    "stateMutability": "view"
  },
  {
    "type": "function",
    "name": "transferFor",
    "inputs": [
      {
        "name": "operator",
        "type": "address"
      },
      {
        "name": "from",
        "type": "address"
      },
      {
        "name": "to",
        "type": "address"
      },
      {
        "name": "tokenId",
        "type": "uint256"
      }
    ],
    "outputs": [],
    "stateMutability": "nonpayable"
  },
  {
    "type": "function",
    "name": "transferFrom",
    "inputs": [
      {
        "name": "from",
        "type": "address"
      },
      {
        "name": "to",
        "type": "address"
      },
      {
        "name": "tokenId",
        "type": "uint256"
      }
    ],
    "outputs": [],
    "stateMutability": "nonpayable"
  },
  {
    "type": "event",
    "name": "Approval",
    "inputs": [
      {
        "name": "owner",
        "type": "address",
        "indexed": true
      },
      {
        "name": "approved",
        "type": "address",
        "indexed": true
      },
      {
        "name": "tokenId",
        "type": "uint256",
        "indexed": true
      }
    ],
    "anonymous": false
  },
  {
    "type": "event",
    "name": "ApprovalForAll",
    "inputs": [
      {
        "name": "owner",
        "type": "address",
        "indexed": true
      },
      {
        "name": "operator",
        "type": "address",
        "indexed": true
      },
      {
        "name": "approved",
        "type": "bool",
        "indexed": false
      }
    ],
    "anonymous": false
  },
  {
    "type": "event",
    "name": "DerivativeApproved",
    "inputs": [
      {
        "name": "parent",
        "type": "uint64",
        "indexed": true
      },
      {
        "name": "creator",
        "type": "address",
        "indexed": true
      },
      {
        "name": "isApproved",
        "type": "bool",
        "indexed": false
      }
    ],
    "anonymous": false
  },
  {
    "type": "event",
    "name": "Linked",
    "inputs": [
      {
        "name": "asset",
        "type": "uint64",
        "indexed": true
      },
      {
        "name": "parent",
        "type": "uint64",
        "indexed": true
      },
      {
        "name": "relation",
        "type": "uint8",
        "indexed": false
      }
    ],
    "anonymous": false
  },
  {
    "type": "event",
    "name": "MembersAdded",
    "inputs": [
      {
        "name": "asset",
        "type": "uint64",
        "indexed": true
      },
      {
        "name": "count",
        "type": "uint256",
        "indexed": false
      },
      {
        "name": "units",
        "type": "uint96",
        "indexed": false
      }
    ],
    "anonymous": false
  },
  {
    "type": "event",
    "name": "PricesChanged",
    "inputs": [
      {
        "name": "asset",
        "type": "uint64",
        "indexed": true
      },
      {
        "name": "inputPrice",
        "type": "uint128",
        "indexed": false
      },
      {
        "name": "outputPrice",
        "type": "uint128",
        "indexed": false
      }
    ],
    "anonymous": false
  },
  {
    "type": "event",
    "name": "Registered",
    "inputs": [
      {
        "name": "asset",
        "type": "uint64",
        "indexed": true
      },
      {
        "name": "creator",
        "type": "address",
        "indexed": true
      },
      {
        "name": "kind",
        "type": "uint8",
        "indexed": false
      },
      {
        "name": "contentHash",
        "type": "bytes32",
        "indexed": false
      },
      {
        "name": "metadataURI",
        "type": "string",
        "indexed": false
      }
    ],
    "anonymous": false
  },
  {
    "type": "event",
    "name": "Sealed",
    "inputs": [
      {
        "name": "asset",
        "type": "uint64",
        "indexed": true
      },
      {
        "name": "units",
        "type": "uint96",
        "indexed": false
      }
    ],
    "anonymous": false
  },
  {
    "type": "event",
    "name": "Transfer",
    "inputs": [
      {
        "name": "from",
        "type": "address",
        "indexed": true
      },
      {
        "name": "to",
        "type": "address",
        "indexed": true
      },
      {
        "name": "tokenId",
        "type": "uint256",
        "indexed": true
      }
    ],
    "anonymous": false
  },
  {
    "type": "error",
    "name": "AlreadySealed",
    "inputs": [
      {
        "name": "asset",
        "type": "uint64"
      }
    ]
  },
  {
    "type": "error",
    "name": "DelegateCall",
    "inputs": []
  },
  {
    "type": "error",
    "name": "DerivativesRefused",
    "inputs": [
      {
        "name": "parent",
        "type": "uint64"
      },
      {
        "name": "policy",
        "type": "uint8"
      }
    ]
  },
  {
    "type": "error",
    "name": "DuplicateEdge",
    "inputs": [
      {
        "name": "parent",
        "type": "uint64"
      }
    ]
  },
  {
    "type": "error",
    "name": "DuplicateMember",
    "inputs": [
      {
        "name": "account",
        "type": "address"
      }
    ]
  },
  {
    "type": "error",
    "name": "ERC721IncorrectOwner",
    "inputs": [
      {
        "name": "sender",
        "type": "address"
      },
      {
        "name": "tokenId",
        "type": "uint256"
      },
      {
        "name": "owner",
        "type": "address"
      }
    ]
  },
  {
    "type": "error",
    "name": "ERC721InsufficientApproval",
    "inputs": [
      {
        "name": "operator",
        "type": "address"
      },
      {
        "name": "tokenId",
        "type": "uint256"
      }
    ]
  },
  {
    "type": "error",
    "name": "ERC721InvalidOwner",
    "inputs": [
      {
        "name": "owner",
        "type": "address"
      }
    ]
  },
  {
    "type": "error",
    "name": "ERC721InvalidReceiver",
    "inputs": [
      {
        "name": "receiver",
        "type": "address"
      }
    ]
  },
  {
    "type": "error",
    "name": "ERC721NonexistentToken",
    "inputs": [
      {
        "name": "tokenId",
        "type": "uint256"
      }
    ]
  },
  {
    "type": "error",
    "name": "InvalidCall",
    "inputs": []
  },
  {
    "type": "error",
    "name": "InvalidMember",
    "inputs": [
      {
        "name": "account",
        "type": "address"
      },
      {
        "name": "units",
        "type": "uint96"
      }
    ]
  },
  {
    "type": "error",
    "name": "InvalidRelation",
    "inputs": [
      {
        "name": "parent",
        "type": "uint64"
      },
      {
        "name": "relation",
        "type": "uint8"
      }
    ]
  },
  {
    "type": "error",
    "name": "MetadataTooLong",
    "inputs": [
      {
        "name": "bytes_",
        "type": "uint256"
      },
      {
        "name": "most",
        "type": "uint256"
      }
    ]
  },
  {
    "type": "error",
    "name": "NotOwner",
    "inputs": [
      {
        "name": "asset",
        "type": "uint64"
      },
      {
        "name": "caller",
        "type": "address"
      },
      {
        "name": "owner",
        "type": "address"
      }
    ]
  },
  {
    "type": "error",
    "name": "NotPayable",
    "inputs": []
  },
  {
    "type": "error",
    "name": "NotSealed",
    "inputs": [
      {
        "name": "asset",
        "type": "uint64"
      }
    ]
  },
  {
    "type": "error",
    "name": "OnlySelf",
    "inputs": [
      {
        "name": "caller",
        "type": "address"
      }
    ]
  },
  {
    "type": "error",
    "name": "Overflow",
    "inputs": []
  },
  {
    "type": "error",
    "name": "OwnershipCycle",
    "inputs": [
      {
        "name": "asset",
        "type": "uint64"
      },
      {
        "name": "to",
        "type": "address"
      }
    ]
  },
  {
    "type": "error",
    "name": "OwnershipTooDeep",
    "inputs": [
      {
        "name": "to",
        "type": "address"
      },
      {
        "name": "most",
        "type": "uint256"
      }
    ]
  },
  {
    "type": "error",
    "name": "PriceTooHigh",
    "inputs": [
      {
        "name": "price",
        "type": "uint128"
      },
      {
        "name": "most",
        "type": "uint128"
      }
    ]
  },
  {
    "type": "error",
    "name": "RoyaltyCapExceeded",
    "inputs": [
      {
        "name": "total",
        "type": "uint256"
      },
      {
        "name": "most",
        "type": "uint256"
      },
      {
        "name": "parents",
        "type": "uint64[]"
      }
    ]
  },
  {
    "type": "error",
    "name": "RoyaltyTooHigh",
    "inputs": [
      {
        "name": "derivativeRoyalty",
        "type": "uint16"
      },
      {
        "name": "most",
        "type": "uint16"
      }
    ]
  },
  {
    "type": "error",
    "name": "StaticCall",
    "inputs": []
  },
  {
    "type": "error",
    "name": "TooManyAncestors",
    "inputs": [
      {
        "name": "ancestors",
        "type": "uint256"
      },
      {
        "name": "most",
        "type": "uint256"
      }
    ]
  },
  {
    "type": "error",
    "name": "TooManyMembers",
    "inputs": [
      {
        "name": "members",
        "type": "uint256"
      },
      {
        "name": "most",
        "type": "uint256"
      }
    ]
  },
  {
    "type": "error",
    "name": "TooManyParents",
    "inputs": [
      {
        "name": "parents",
        "type": "uint256"
      },
      {
        "name": "most",
        "type": "uint256"
      }
    ]
  },
  {
    "type": "error",
    "name": "UnknownAsset",
    "inputs": [
      {
        "name": "asset",
        "type": "uint64"
      }
    ]
  },
  {
    "type": "error",
    "name": "UnknownParent",
    "inputs": [
      {
        "name": "parent",
        "type": "uint64"
      }
    ]
  }
] as const;

/** Interface of `royalties`, common errors included. */
export const royaltiesAbi = [
  {
    "type": "function",
    "name": "earned",
    "inputs": [
      {
        "name": "account",
        "type": "address"
      }
    ],
    "outputs": [
      {
        "name": "",
        "type": "uint256"
      }
    ],
    "stateMutability": "view"
  },
  {
    "type": "function",
    "name": "earnedIn",
    "inputs": [
      {
        "name": "account",
        "type": "address"
      },
      {
        "name": "asset",
        "type": "uint64"
      }
    ],
    "outputs": [
      {
        "name": "",
        "type": "uint256"
      }
    ],
    "stateMutability": "view"
  },
  {
    "type": "function",
    "name": "paidTo",
    "inputs": [
      {
        "name": "account",
        "type": "address"
      },
      {
        "name": "asset",
        "type": "uint64"
      }
    ],
    "outputs": [
      {
        "name": "",
        "type": "uint256"
      }
    ],
    "stateMutability": "view"
  },
  {
    "type": "function",
    "name": "pay",
    "inputs": [
      {
        "name": "asset",
        "type": "uint64"
      }
    ],
    "outputs": [],
    "stateMutability": "payable"
  },
  {
    "type": "function",
    "name": "pool",
    "inputs": [
      {
        "name": "asset",
        "type": "uint64"
      }
    ],
    "outputs": [
      {
        "name": "",
        "type": "tuple",
        "components": [
          {
            "name": "deposited",
            "type": "uint256"
          },
          {
            "name": "paid",
            "type": "uint256"
          },
          {
            "name": "units",
            "type": "uint96"
          },
          {
            "name": "members",
            "type": "uint64"
          }
        ]
      }
    ],
    "stateMutability": "view"
  },
  {
    "type": "function",
    "name": "poolsOf",
    "inputs": [
      {
        "name": "account",
        "type": "address"
      },
      {
        "name": "start",
        "type": "uint256"
      },
      {
        "name": "count",
        "type": "uint256"
      }
    ],
    "outputs": [
      {
        "name": "assets",
        "type": "uint64[]"
      },
      {
        "name": "total",
        "type": "uint256"
      }
    ],
    "stateMutability": "view"
  },
  {
    "type": "function",
    "name": "settle",
    "inputs": [
      {
        "name": "account",
        "type": "address"
      },
      {
        "name": "assets",
        "type": "uint64[]"
      }
    ],
    "outputs": [
      {
        "name": "amount",
        "type": "uint256"
      }
    ],
    "stateMutability": "nonpayable"
  },
  {
    "type": "function",
    "name": "unitsOf",
    "inputs": [
      {
        "name": "asset",
        "type": "uint64"
      },
      {
        "name": "account",
        "type": "address"
      }
    ],
    "outputs": [
      {
        "name": "",
        "type": "uint96"
      }
    ],
    "stateMutability": "view"
  },
  {
    "type": "event",
    "name": "Deposited",
    "inputs": [
      {
        "name": "asset",
        "type": "uint64",
        "indexed": true
      },
      {
        "name": "source",
        "type": "uint64",
        "indexed": true
      },
      {
        "name": "amount",
        "type": "uint256",
        "indexed": false
      }
    ],
    "anonymous": false
  },
  {
    "type": "event",
    "name": "Paid",
    "inputs": [
      {
        "name": "asset",
        "type": "uint64",
        "indexed": true
      },
      {
        "name": "payer",
        "type": "address",
        "indexed": true
      },
      {
        "name": "amount",
        "type": "uint256",
        "indexed": false
      }
    ],
    "anonymous": false
  },
  {
    "type": "event",
    "name": "Settled",
    "inputs": [
      {
        "name": "asset",
        "type": "uint64",
        "indexed": true
      },
      {
        "name": "account",
        "type": "address",
        "indexed": true
      },
      {
        "name": "amount",
        "type": "uint256",
        "indexed": false
      }
    ],
    "anonymous": false
  },
  {
    "type": "error",
    "name": "DelegateCall",
    "inputs": []
  },
  {
    "type": "error",
    "name": "InvalidCall",
    "inputs": []
  },
  {
    "type": "error",
    "name": "NotPayable",
    "inputs": []
  },
  {
    "type": "error",
    "name": "OnlySelf",
    "inputs": [
      {
        "name": "caller",
        "type": "address"
      }
    ]
  },
  {
    "type": "error",
    "name": "Overflow",
    "inputs": []
  },
  {
    "type": "error",
    "name": "PoolFull",
    "inputs": [
      {
        "name": "asset",
        "type": "uint64"
      }
    ]
  },
  {
    "type": "error",
    "name": "StaticCall",
    "inputs": []
  },
  {
    "type": "error",
    "name": "TooManyPools",
    "inputs": [
      {
        "name": "pools",
        "type": "uint256"
      },
      {
        "name": "most",
        "type": "uint256"
      }
    ]
  }
] as const;

/** Interface of `channels`, common errors included. */
export const channelsAbi = [
  {
    "type": "function",
    "name": "DOMAIN_SEPARATOR",
    "inputs": [],
    "outputs": [
      {
        "name": "",
        "type": "bytes32"
      }
    ],
    "stateMutability": "view"
  },
  {
    "type": "function",
    "name": "channel",
    "inputs": [
      {
        "name": "channelId",
        "type": "bytes32"
      }
    ],
    "outputs": [
      {
        "name": "",
        "type": "tuple",
        "components": [
          {
            "name": "payer",
            "type": "address"
          },
          {
            "name": "gateway",
            "type": "address"
          },
          {
            "name": "settled",
            "type": "uint96"
          },
          {
            "name": "deposit",
            "type": "uint96"
          },
          {
            "name": "base",
            "type": "uint96"
          },
          {
            "name": "seq",
            "type": "uint24"
          },
          {
            "name": "closeRequestedAt",
            "type": "uint32"
          },
          {
            "name": "isClosed",
            "type": "bool"
          },
          {
            "name": "isGrant",
            "type": "bool"
          },
          {
            "name": "protocolFee",
            "type": "uint16"
          },
          {
            "name": "gatewayFee",
            "type": "uint16"
          }
        ]
      }
    ],
    "stateMutability": "view"
  },
  {
    "type": "function",
    "name": "claimBatch",
    "inputs": [
      {
        "name": "claims",
        "type": "tuple[]",
        "components": [
          {
            "name": "channelId",
            "type": "bytes32"
          },
          {
            "name": "cumulative",
            "type": "uint96"
          },
          {
            "name": "seqFrom",
            "type": "uint24"
          },
          {
            "name": "seqTo",
            "type": "uint24"
          },
          {
            "name": "receiptsRoot",
            "type": "bytes32"
          },
          {
            "name": "voucherAmount",
            "type": "uint128"
          },
          {
            "name": "voucherSignature",
            "type": "bytes"
          },
          {
            "name": "lines",
            "type": "tuple[]",
            "components": [
              {
                "name": "asset",
                "type": "uint64"
              },
              {
                "name": "worker",
                "type": "address"
              },
              {
                "name": "cumulativeWorker",
                "type": "uint128"
              },
              {
                "name": "cumulativeAsset",
                "type": "uint128"
              },
              {
                "name": "signature",
                "type": "bytes"
              }
            ]
          }
        ]
      }
    ],
    "outputs": [],
    "stateMutability": "nonpayable"
  },
  {
    "type": "function",
    "name": "close",
    "inputs": [
      {
        "name": "channelId",
        "type": "bytes32"
      }
    ],
    "outputs": [],
    "stateMutability": "nonpayable"
  },
  {
    "type": "function",
    "name": "closeDelay",
    "inputs": [],
    "outputs": [
      {
        "name": "",
        "type": "uint64"
      }
    ],
    "stateMutability": "view"
  },
  {
    "type": "function",
    "name": "depositOf",
    "inputs": [
      {
        "name": "payer",
        "type": "address"
      }
    ],
    "outputs": [
      {
        "name": "",
        "type": "uint256"
      }
    ],
    "stateMutability": "view"
  },
  {
    "type": "function",
    "name": "earning",
    "inputs": [
      {
        "name": "channelId",
        "type": "bytes32"
      },
      {
        "name": "asset",
        "type": "uint64"
      },
      {
        "name": "worker",
        "type": "address"
      }
    ],
    "outputs": [
      {
        "name": "cumulativeWorker",
        "type": "uint128"
      },
      {
        "name": "cumulativeAsset",
        "type": "uint128"
      }
    ],
    "stateMutability": "view"
  },
  {
    "type": "function",
    "name": "fund",
    "inputs": [
      {
        "name": "payer",
        "type": "address"
      }
    ],
    "outputs": [],
    "stateMutability": "payable"
  },
  {
    "type": "function",
    "name": "grantUse",
    "inputs": [
      {
        "name": "channelId",
        "type": "bytes32"
      }
    ],
    "outputs": [
      {
        "name": "",
        "type": "tuple",
        "components": [
          {
            "name": "total",
            "type": "uint96"
          },
          {
            "name": "today",
            "type": "uint96"
          },
          {
            "name": "day",
            "type": "uint64"
          },
          {
            "name": "isRevoked",
            "type": "bool"
          }
        ]
      }
    ],
    "stateMutability": "view"
  },
  {
    "type": "function",
    "name": "open",
    "inputs": [
      {
        "name": "reservation",
        "type": "tuple",
        "components": [
          {
            "name": "payer",
            "type": "address"
          },
          {
            "name": "gateway",
            "type": "address"
          },
          {
            "name": "amount",
            "type": "uint96"
          },
          {
            "name": "nonce",
            "type": "uint64"
          },
          {
            "name": "validUntil",
            "type": "uint64"
          }
        ]
      },
      {
        "name": "signature",
        "type": "bytes"
      }
    ],
    "outputs": [
      {
        "name": "channelId",
        "type": "bytes32"
      }
    ],
    "stateMutability": "nonpayable"
  },
  {
    "type": "function",
    "name": "openGrant",
    "inputs": [
      {
        "name": "grant",
        "type": "tuple",
        "components": [
          {
            "name": "payer",
            "type": "address"
          },
          {
            "name": "gateway",
            "type": "address"
          },
          {
            "name": "keyId",
            "type": "bytes32"
          },
          {
            "name": "maxTotal",
            "type": "uint96"
          },
          {
            "name": "maxPerDay",
            "type": "uint96"
          },
          {
            "name": "assets",
            "type": "uint64[]"
          },
          {
            "name": "validUntil",
            "type": "uint64"
          },
          {
            "name": "nonce",
            "type": "uint64"
          }
        ]
      },
      {
        "name": "signature",
        "type": "bytes"
      },
      {
        "name": "amount",
        "type": "uint96"
      }
    ],
    "outputs": [
      {
        "name": "channelId",
        "type": "bytes32"
      }
    ],
    "stateMutability": "nonpayable"
  },
  {
    "type": "function",
    "name": "protocolFee",
    "inputs": [],
    "outputs": [
      {
        "name": "",
        "type": "uint16"
      }
    ],
    "stateMutability": "view"
  },
  {
    "type": "function",
    "name": "requestClose",
    "inputs": [
      {
        "name": "channelId",
        "type": "bytes32"
      }
    ],
    "outputs": [],
    "stateMutability": "nonpayable"
  },
  {
    "type": "function",
    "name": "revoke",
    "inputs": [
      {
        "name": "grant",
        "type": "tuple",
        "components": [
          {
            "name": "payer",
            "type": "address"
          },
          {
            "name": "gateway",
            "type": "address"
          },
          {
            "name": "keyId",
            "type": "bytes32"
          },
          {
            "name": "maxTotal",
            "type": "uint96"
          },
          {
            "name": "maxPerDay",
            "type": "uint96"
          },
          {
            "name": "assets",
            "type": "uint64[]"
          },
          {
            "name": "validUntil",
            "type": "uint64"
          },
          {
            "name": "nonce",
            "type": "uint64"
          }
        ]
      }
    ],
    "outputs": [],
    "stateMutability": "nonpayable"
  },
  {
    "type": "function",
    "name": "withdraw",
    "inputs": [
      {
        "name": "amount",
        "type": "uint256"
      }
    ],
    "outputs": [],
    "stateMutability": "nonpayable"
  },
  {
    "type": "event",
    "name": "CloseRequested",
    "inputs": [
      {
        "name": "channelId",
        "type": "bytes32",
        "indexed": true
      },
      {
        "name": "closableAt",
        "type": "uint64",
        "indexed": false
      }
    ],
    "anonymous": false
  },
  {
    "type": "event",
    "name": "Closed",
    "inputs": [
      {
        "name": "channelId",
        "type": "bytes32",
        "indexed": true
      },
      {
        "name": "returned",
        "type": "uint96",
        "indexed": false
      }
    ],
    "anonymous": false
  },
  {
    "type": "event",
    "name": "Collected",
    "inputs": [
      {
        "name": "channelId",
        "type": "bytes32",
        "indexed": true
      },
      {
        "name": "payer",
        "type": "address",
        "indexed": true
      },
      {
        "name": "gateway",
        "type": "address",
        "indexed": true
      },
      {
        "name": "amount",
        "type": "uint96",
        "indexed": false
      },
      {
        "name": "seqFrom",
        "type": "uint24",
        "indexed": false
      },
      {
        "name": "seqTo",
        "type": "uint24",
        "indexed": false
      },
      {
        "name": "receiptsRoot",
        "type": "bytes32",
        "indexed": false
      }
    ],
    "anonymous": false
  },
  {
    "type": "event",
    "name": "Earned",
    "inputs": [
      {
        "name": "channelId",
        "type": "bytes32",
        "indexed": true
      },
      {
        "name": "asset",
        "type": "uint64",
        "indexed": true
      },
      {
        "name": "worker",
        "type": "address",
        "indexed": true
      },
      {
        "name": "workerAmount",
        "type": "uint256",
        "indexed": false
      },
      {
        "name": "assetAmount",
        "type": "uint256",
        "indexed": false
      }
    ],
    "anonymous": false
  },
  {
    "type": "event",
    "name": "FeesPaid",
    "inputs": [
      {
        "name": "channelId",
        "type": "bytes32",
        "indexed": true
      },
      {
        "name": "protocolFee",
        "type": "uint256",
        "indexed": false
      },
      {
        "name": "gatewayFee",
        "type": "uint256",
        "indexed": false
      }
    ],
    "anonymous": false
  },
  {
    "type": "event",
    "name": "Funded",
    "inputs": [
      {
        "name": "payer",
        "type": "address",
        "indexed": true
      },
      {
        "name": "from",
        "type": "address",
        "indexed": true
      },
      {
        "name": "amount",
        "type": "uint256",
        "indexed": false
      }
    ],
    "anonymous": false
  },
  {
    "type": "event",
    "name": "Opened",
    "inputs": [
      {
        "name": "channelId",
        "type": "bytes32",
        "indexed": true
      },
      {
        "name": "payer",
        "type": "address",
        "indexed": true
      },
      {
        "name": "gateway",
        "type": "address",
        "indexed": true
      },
      {
        "name": "amount",
        "type": "uint96",
        "indexed": false
      },
      {
        "name": "isGrant",
        "type": "bool",
        "indexed": false
      }
    ],
    "anonymous": false
  },
  {
    "type": "event",
    "name": "Revoked",
    "inputs": [
      {
        "name": "payer",
        "type": "address",
        "indexed": true
      },
      {
        "name": "grantHash",
        "type": "bytes32",
        "indexed": true
      }
    ],
    "anonymous": false
  },
  {
    "type": "event",
    "name": "ToppedUp",
    "inputs": [
      {
        "name": "channelId",
        "type": "bytes32",
        "indexed": true
      },
      {
        "name": "amount",
        "type": "uint96",
        "indexed": false
      }
    ],
    "anonymous": false
  },
  {
    "type": "event",
    "name": "Withdrawn",
    "inputs": [
      {
        "name": "payer",
        "type": "address",
        "indexed": true
      },
      {
        "name": "amount",
        "type": "uint256",
        "indexed": false
      }
    ],
    "anonymous": false
  },
  {
    "type": "error",
    "name": "AlreadyOpened",
    "inputs": [
      {
        "name": "channelId",
        "type": "bytes32"
      }
    ]
  },
  {
    "type": "error",
    "name": "AmountTooLarge",
    "inputs": [
      {
        "name": "amount",
        "type": "uint256"
      },
      {
        "name": "most",
        "type": "uint256"
      }
    ]
  },
  {
    "type": "error",
    "name": "AssetNotGranted",
    "inputs": [
      {
        "name": "asset",
        "type": "uint64"
      }
    ]
  },
  {
    "type": "error",
    "name": "ChannelClosed",
    "inputs": [
      {
        "name": "channelId",
        "type": "bytes32"
      }
    ]
  },
  {
    "type": "error",
    "name": "ChannelClosing",
    "inputs": [
      {
        "name": "channelId",
        "type": "bytes32"
      },
      {
        "name": "closableAt",
        "type": "uint64"
      }
    ]
  },
  {
    "type": "error",
    "name": "CloseNotRequested",
    "inputs": [
      {
        "name": "channelId",
        "type": "bytes32"
      }
    ]
  },
  {
    "type": "error",
    "name": "DelegateCall",
    "inputs": []
  },
  {
    "type": "error",
    "name": "DepositExceeded",
    "inputs": [
      {
        "name": "cumulative",
        "type": "uint256"
      },
      {
        "name": "deposit",
        "type": "uint256"
      }
    ]
  },
  {
    "type": "error",
    "name": "EmptyRange",
    "inputs": [
      {
        "name": "seqFrom",
        "type": "uint24"
      },
      {
        "name": "seqTo",
        "type": "uint24"
      }
    ]
  },
  {
    "type": "error",
    "name": "Expired",
    "inputs": [
      {
        "name": "validUntil",
        "type": "uint64"
      },
      {
        "name": "timestamp",
        "type": "uint64"
      }
    ]
  },
  {
    "type": "error",
    "name": "GatewayNotBonded",
    "inputs": [
      {
        "name": "gateway",
        "type": "address"
      }
    ]
  },
  {
    "type": "error",
    "name": "GrantDayExceeded",
    "inputs": [
      {
        "name": "today",
        "type": "uint256"
      },
      {
        "name": "maxPerDay",
        "type": "uint256"
      }
    ]
  },
  {
    "type": "error",
    "name": "GrantRevoked",
    "inputs": [
      {
        "name": "grantHash",
        "type": "bytes32"
      }
    ]
  },
  {
    "type": "error",
    "name": "GrantTotalExceeded",
    "inputs": [
      {
        "name": "total",
        "type": "uint256"
      },
      {
        "name": "maxTotal",
        "type": "uint256"
      }
    ]
  },
  {
    "type": "error",
    "name": "InsufficientDeposit",
    "inputs": [
      {
        "name": "payer",
        "type": "address"
      },
      {
        "name": "free",
        "type": "uint256"
      },
      {
        "name": "needed",
        "type": "uint256"
      }
    ]
  },
  {
    "type": "error",
    "name": "InvalidCall",
    "inputs": []
  },
  {
    "type": "error",
    "name": "InvalidPayer",
    "inputs": [
      {
        "name": "payer",
        "type": "address"
      }
    ]
  },
  {
    "type": "error",
    "name": "InvalidSignature",
    "inputs": [
      {
        "name": "expected",
        "type": "address"
      }
    ]
  },
  {
    "type": "error",
    "name": "NotGateway",
    "inputs": [
      {
        "name": "caller",
        "type": "address"
      },
      {
        "name": "gateway",
        "type": "address"
      }
    ]
  },
  {
    "type": "error",
    "name": "NotPayable",
    "inputs": []
  },
  {
    "type": "error",
    "name": "NotPayer",
    "inputs": [
      {
        "name": "caller",
        "type": "address"
      },
      {
        "name": "payer",
        "type": "address"
      }
    ]
  },
  {
    "type": "error",
    "name": "NothingToCollect",
    "inputs": [
      {
        "name": "channelId",
        "type": "bytes32"
      }
    ]
  },
  {
    "type": "error",
    "name": "OnlySelf",
    "inputs": [
      {
        "name": "caller",
        "type": "address"
      }
    ]
  },
  {
    "type": "error",
    "name": "Overflow",
    "inputs": []
  },
  {
    "type": "error",
    "name": "PartsDoNotAddUp",
    "inputs": [
      {
        "name": "expected",
        "type": "uint256"
      },
      {
        "name": "cumulative",
        "type": "uint256"
      }
    ]
  },
  {
    "type": "error",
    "name": "SelfPayment",
    "inputs": [
      {
        "name": "account",
        "type": "address"
      }
    ]
  },
  {
    "type": "error",
    "name": "StaleClaim",
    "inputs": [
      {
        "name": "channelId",
        "type": "bytes32"
      },
      {
        "name": "seq",
        "type": "uint24"
      },
      {
        "name": "seqFrom",
        "type": "uint24"
      }
    ]
  },
  {
    "type": "error",
    "name": "StaleLine",
    "inputs": [
      {
        "name": "asset",
        "type": "uint64"
      },
      {
        "name": "worker",
        "type": "address"
      }
    ]
  },
  {
    "type": "error",
    "name": "StaticCall",
    "inputs": []
  },
  {
    "type": "error",
    "name": "TooEarly",
    "inputs": [
      {
        "name": "closableAt",
        "type": "uint64"
      },
      {
        "name": "timestamp",
        "type": "uint64"
      }
    ]
  },
  {
    "type": "error",
    "name": "TooManyAssets",
    "inputs": [
      {
        "name": "assets",
        "type": "uint256"
      },
      {
        "name": "most",
        "type": "uint256"
      }
    ]
  },
  {
    "type": "error",
    "name": "TooManyLines",
    "inputs": [
      {
        "name": "lines",
        "type": "uint256"
      },
      {
        "name": "most",
        "type": "uint256"
      }
    ]
  },
  {
    "type": "error",
    "name": "UnknownChannel",
    "inputs": [
      {
        "name": "channelId",
        "type": "bytes32"
      }
    ]
  },
  {
    "type": "error",
    "name": "VoucherTooSmall",
    "inputs": [
      {
        "name": "cumulative",
        "type": "uint256"
      },
      {
        "name": "voucherAmount",
        "type": "uint256"
      }
    ]
  },
  {
    "type": "error",
    "name": "WorkerNotRegistered",
    "inputs": [
      {
        "name": "worker",
        "type": "address"
      },
      {
        "name": "asset",
        "type": "uint64"
      }
    ]
  }
] as const;

/** Interface of `workers`, common errors included. */
export const workersAbi = [
  {
    "type": "function",
    "name": "gateway",
    "inputs": [
      {
        "name": "account",
        "type": "address"
      }
    ],
    "outputs": [
      {
        "name": "",
        "type": "tuple",
        "components": [
          {
            "name": "endpoint",
            "type": "string"
          },
          {
            "name": "bond",
            "type": "uint256"
          },
          {
            "name": "fee",
            "type": "uint16"
          },
          {
            "name": "registeredAt",
            "type": "uint64"
          },
          {
            "name": "leavingAt",
            "type": "uint64"
          }
        ]
      }
    ],
    "stateMutability": "view"
  },
  {
    "type": "function",
    "name": "leave",
    "inputs": [],
    "outputs": [],
    "stateMutability": "nonpayable"
  },
  {
    "type": "function",
    "name": "minimumBond",
    "inputs": [],
    "outputs": [
      {
        "name": "",
        "type": "uint256"
      }
    ],
    "stateMutability": "view"
  },
  {
    "type": "function",
    "name": "noticePeriod",
    "inputs": [],
    "outputs": [
      {
        "name": "",
        "type": "uint64"
      }
    ],
    "stateMutability": "view"
  },
  {
    "type": "function",
    "name": "offer",
    "inputs": [
      {
        "name": "worker",
        "type": "address"
      },
      {
        "name": "asset",
        "type": "uint64"
      }
    ],
    "outputs": [
      {
        "name": "",
        "type": "tuple",
        "components": [
          {
            "name": "inputPrice",
            "type": "uint128"
          },
          {
            "name": "outputPrice",
            "type": "uint128"
          },
          {
            "name": "isServed",
            "type": "bool"
          }
        ]
      }
    ],
    "stateMutability": "view"
  },
  {
    "type": "function",
    "name": "registerGateway",
    "inputs": [
      {
        "name": "endpoint",
        "type": "string"
      },
      {
        "name": "fee",
        "type": "uint16"
      }
    ],
    "outputs": [],
    "stateMutability": "payable"
  },
  {
    "type": "function",
    "name": "registerWorker",
    "inputs": [
      {
        "name": "endpoint",
        "type": "string"
      }
    ],
    "outputs": [],
    "stateMutability": "payable"
  },
  {
    "type": "function",
    "name": "serve",
    "inputs": [
      {
        "name": "asset",
        "type": "uint64"
      },
      {
        "name": "inputPrice",
        "type": "uint128"
      },
      {
        "name": "outputPrice",
        "type": "uint128"
      }
    ],
    "outputs": [],
    "stateMutability": "nonpayable"
  },
  {
    "type": "function",
    "name": "unserve",
    "inputs": [
      {
        "name": "asset",
        "type": "uint64"
      }
    ],
    "outputs": [],
    "stateMutability": "nonpayable"
  },
  {
    "type": "function",
    "name": "withdrawBond",
    "inputs": [],
    "outputs": [],
    "stateMutability": "nonpayable"
  },
  {
    "type": "function",
    "name": "worker",
    "inputs": [
      {
        "name": "account",
        "type": "address"
      }
    ],
    "outputs": [
      {
        "name": "",
        "type": "tuple",
        "components": [
          {
            "name": "endpoint",
            "type": "string"
          },
          {
            "name": "bond",
            "type": "uint256"
          },
          {
            "name": "registeredAt",
            "type": "uint64"
          },
          {
            "name": "leavingAt",
            "type": "uint64"
          }
        ]
      }
    ],
    "stateMutability": "view"
  },
  {
    "type": "function",
    "name": "workersOf",
    "inputs": [
      {
        "name": "asset",
        "type": "uint64"
      },
      {
        "name": "start",
        "type": "uint256"
      },
      {
        "name": "count",
        "type": "uint256"
      }
    ],
    "outputs": [
      {
        "name": "workers",
        "type": "address[]"
      },
      {
        "name": "total",
        "type": "uint256"
      }
    ],
    "stateMutability": "view"
  },
  {
    "type": "event",
    "name": "GatewayRegistered",
    "inputs": [
      {
        "name": "gateway",
        "type": "address",
        "indexed": true
      },
      {
        "name": "endpoint",
        "type": "string",
        "indexed": false
      },
      {
        "name": "bond",
        "type": "uint256",
        "indexed": false
      },
      {
        "name": "fee",
        "type": "uint16",
        "indexed": false
      }
    ],
    "anonymous": false
  },
  {
    "type": "event",
    "name": "Leaving",
    "inputs": [
      {
        "name": "account",
        "type": "address",
        "indexed": true
      },
      {
        "name": "leavingAt",
        "type": "uint64",
        "indexed": false
      }
    ],
    "anonymous": false
  },
  {
    "type": "event",
    "name": "Left",
    "inputs": [
      {
        "name": "account",
        "type": "address",
        "indexed": true
      },
      {
        "name": "bond",
        "type": "uint256",
        "indexed": false
      }
    ],
    "anonymous": false
  },
  {
    "type": "event",
    "name": "Served",
    "inputs": [
      {
        "name": "worker",
        "type": "address",
        "indexed": true
      },
      {
        "name": "asset",
        "type": "uint64",
        "indexed": true
      },
      {
        "name": "inputPrice",
        "type": "uint128",
        "indexed": false
      },
      {
        "name": "outputPrice",
        "type": "uint128",
        "indexed": false
      }
    ],
    "anonymous": false
  },
  {
    "type": "event",
    "name": "Unserved",
    "inputs": [
      {
        "name": "worker",
        "type": "address",
        "indexed": true
      },
      {
        "name": "asset",
        "type": "uint64",
        "indexed": true
      }
    ],
    "anonymous": false
  },
  {
    "type": "event",
    "name": "WorkerRegistered",
    "inputs": [
      {
        "name": "worker",
        "type": "address",
        "indexed": true
      },
      {
        "name": "endpoint",
        "type": "string",
        "indexed": false
      },
      {
        "name": "bond",
        "type": "uint256",
        "indexed": false
      }
    ],
    "anonymous": false
  },
  {
    "type": "error",
    "name": "AccountLeaving",
    "inputs": [
      {
        "name": "account",
        "type": "address"
      },
      {
        "name": "leavingAt",
        "type": "uint64"
      }
    ]
  },
  {
    "type": "error",
    "name": "AlreadyRegistered",
    "inputs": [
      {
        "name": "account",
        "type": "address"
      }
    ]
  },
  {
    "type": "error",
    "name": "BondLocked",
    "inputs": [
      {
        "name": "until",
        "type": "uint64"
      }
    ]
  },
  {
    "type": "error",
    "name": "BondTooSmall",
    "inputs": [
      {
        "name": "bond",
        "type": "uint256"
      },
      {
        "name": "least",
        "type": "uint256"
      }
    ]
  },
  {
    "type": "error",
    "name": "DelegateCall",
    "inputs": []
  },
  {
    "type": "error",
    "name": "EndpointTooLong",
    "inputs": [
      {
        "name": "bytes_",
        "type": "uint256"
      },
      {
        "name": "most",
        "type": "uint256"
      }
    ]
  },
  {
    "type": "error",
    "name": "GatewayFeeTooHigh",
    "inputs": [
      {
        "name": "fee",
        "type": "uint16"
      },
      {
        "name": "most",
        "type": "uint16"
      }
    ]
  },
  {
    "type": "error",
    "name": "InvalidCall",
    "inputs": []
  },
  {
    "type": "error",
    "name": "NotPayable",
    "inputs": []
  },
  {
    "type": "error",
    "name": "NotRegistered",
    "inputs": [
      {
        "name": "account",
        "type": "address"
      }
    ]
  },
  {
    "type": "error",
    "name": "NotServed",
    "inputs": [
      {
        "name": "worker",
        "type": "address"
      },
      {
        "name": "asset",
        "type": "uint64"
      }
    ]
  },
  {
    "type": "error",
    "name": "OnlySelf",
    "inputs": [
      {
        "name": "caller",
        "type": "address"
      }
    ]
  },
  {
    "type": "error",
    "name": "Overflow",
    "inputs": []
  },
  {
    "type": "error",
    "name": "StaticCall",
    "inputs": []
  },
  {
    "type": "error",
    "name": "StillServing",
    "inputs": [
      {
        "name": "worker",
        "type": "address"
      },
      {
        "name": "assets",
        "type": "uint32"
      }
    ]
  },
  {
    "type": "error",
    "name": "UnknownServedAsset",
    "inputs": [
      {
        "name": "asset",
        "type": "uint64"
      }
    ]
  },
  {
    "type": "error",
    "name": "WorkerPriceTooHigh",
    "inputs": [
      {
        "name": "price",
        "type": "uint128"
      },
      {
        "name": "most",
        "type": "uint128"
      }
    ]
  }
] as const;

/** Interface of `system`, common errors included. */
export const systemAbi = [
  {
    "type": "function",
    "name": "endBlock",
    "inputs": [
      {
        "name": "leader",
        "type": "address"
      },
      {
        "name": "recipients",
        "type": "address[]"
      }
    ],
    "outputs": [],
    "stateMutability": "nonpayable"
  },
  {
    "type": "function",
    "name": "supply",
    "inputs": [],
    "outputs": [
      {
        "name": "",
        "type": "uint256"
      }
    ],
    "stateMutability": "view"
  },
  {
    "type": "event",
    "name": "FeesDistributed",
    "inputs": [
      {
        "name": "total",
        "type": "uint256",
        "indexed": false
      },
      {
        "name": "validators",
        "type": "uint256",
        "indexed": false
      },
      {
        "name": "incentivePool",
        "type": "uint256",
        "indexed": false
      }
    ],
    "anonymous": false
  },
  {
    "type": "event",
    "name": "Recovered",
    "inputs": [
      {
        "name": "amount",
        "type": "uint256",
        "indexed": false
      }
    ],
    "anonymous": false
  },
  {
    "type": "error",
    "name": "DelegateCall",
    "inputs": []
  },
  {
    "type": "error",
    "name": "InvalidCall",
    "inputs": []
  },
  {
    "type": "error",
    "name": "NotPayable",
    "inputs": []
  },
  {
    "type": "error",
    "name": "OnlySelf",
    "inputs": [
      {
        "name": "caller",
        "type": "address"
      }
    ]
  },
  {
    "type": "error",
    "name": "OnlySystem",
    "inputs": [
      {
        "name": "caller",
        "type": "address"
      }
    ]
  },
  {
    "type": "error",
    "name": "Overflow",
    "inputs": []
  },
  {
    "type": "error",
    "name": "StaticCall",
    "inputs": []
  }
] as const;

/** What an asset is. */
export const Kind = {
  dataset: 0,
  model: 1,
  agent: 2,
} as const;

/** What an edge says of the child. */
export const Relation = {
  trainedOn: 0,
  finetunedFrom: 1,
  embeds: 2,
  derivedFrom: 3,
} as const;

/** Who may derive. */
export const Derivatives = {
  open: 0,
  approval: 1,
  none: 2,
} as const;

/** EIP-712 domains without the chain's id. */
export const domains = {
  channels: { name: "Sahara Channels", version: "1", verifyingContract: "0x5341484152410000000000000000000000000004" },
  coin: { name: "Sahara", version: "1", verifyingContract: "0x5341484152410000000000000000000000000001" },
} as const;

/** EIP-712 types of everything a payer signs. */
export const messageTypes = {
  /** Under the domain `channels`. */
  Reservation: [
    { name: "payer", type: "address" },
    { name: "gateway", type: "address" },
    { name: "amount", type: "uint96" },
    { name: "nonce", type: "uint64" },
    { name: "validUntil", type: "uint64" },
  ],
  /** Under the domain `channels`. */
  KeyGrant: [
    { name: "payer", type: "address" },
    { name: "gateway", type: "address" },
    { name: "keyId", type: "bytes32" },
    { name: "maxTotal", type: "uint96" },
    { name: "maxPerDay", type: "uint96" },
    { name: "assets", type: "uint64[]" },
    { name: "validUntil", type: "uint64" },
    { name: "nonce", type: "uint64" },
  ],
  /** Under the domain `channels`. */
  Voucher: [
    { name: "channelId", type: "bytes32" },
    { name: "cumulativeAmount", type: "uint128" },
  ],
  /** Under the domain `coin`. */
  Permit: [
    { name: "owner", type: "address" },
    { name: "spender", type: "address" },
    { name: "value", type: "uint256" },
    { name: "nonce", type: "uint256" },
    { name: "deadline", type: "uint256" },
  ],
  /** Under the domain `coin`. */
  TransferWithAuthorization: [
    { name: "from", type: "address" },
    { name: "to", type: "address" },
    { name: "value", type: "uint256" },
    { name: "validAfter", type: "uint256" },
    { name: "validBefore", type: "uint256" },
    { name: "nonce", type: "bytes32" },
  ],
  /** Under the domain `coin`. */
  ReceiveWithAuthorization: [
    { name: "from", type: "address" },
    { name: "to", type: "address" },
    { name: "value", type: "uint256" },
    { name: "validAfter", type: "uint256" },
    { name: "validBefore", type: "uint256" },
    { name: "nonce", type: "bytes32" },
  ],
  /** Under the domain `coin`. */
  CancelAuthorization: [
    { name: "authorizer", type: "address" },
    { name: "nonce", type: "bytes32" },
  ],
} as const;
