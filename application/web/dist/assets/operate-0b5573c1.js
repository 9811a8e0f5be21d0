const n=`# Operate

For whoever keeps a network, a worker or a gateway running. A running network is needed ([quickstart](quickstart.md)); for
several hosts see [run a validator](../run-a-validator.md).

## Is everything well?

\`\`\`sh
sahara status
sahara doctor
curl -fsS "$SAHARA_GATEWAY/health"
\`\`\`
\`\`\`text
height
"status"
\`\`\`

## Numbers for Prometheus

Each process has a page of metrics; \`sahara up\` names it. Dashboards and alert rules are in \`packaging/\`.

\`\`\`sh
curl -fsS "$SAHARA_METRICS" | grep -c '^sahara_'
\`\`\`

## The supply

Every node checks after every block that no coin was made or lost. Whoever does not believe it counts again:

\`\`\`sh
sahara supply
\`\`\`
\`\`\`text
total 10000000000 SAHARA, fixed
\`\`\`

## Describe itself

\`\`\`sh
sahara abi | head -5
curl -fsS "$SAHARA_GATEWAY/api/v1/openapi.json" | head -c 40
curl -fsS "$SAHARA_GATEWAY/llms.txt" | head -3
\`\`\`
\`\`\`text
openapi
Sahara
\`\`\`
`;export{n as default};
