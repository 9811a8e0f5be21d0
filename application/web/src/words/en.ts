import { account } from "./en/account.ts";
import { asset } from "./en/asset.ts";
import { chat } from "./en/chat.ts";
import { deed } from "./en/deed.ts";
import { earnings } from "./en/earnings.ts";
import { error } from "./en/error.ts";
import { everywhere } from "./en/everywhere.ts";
import { explore } from "./en/explore.ts";
import { governance } from "./en/governance.ts";
import { grants } from "./en/grants.ts";
import { help } from "./en/help.ts";
import { license } from "./en/license.ts";
import { market } from "./en/market.ts";
import { network } from "./en/network.ts";
import { settings } from "./en/settings.ts";
import { staking } from "./en/staking.ts";
import { studio } from "./en/studio.ts";
import { supply } from "./en/supply.ts";
import { usage } from "./en/usage.ts";
import { verify } from "./en/verify.ts";

/** Words of every other page, one file for each area. Those of the first visit are in `first/en.ts`. */
export const en = {
  ...account,
  ...asset,
  ...chat,
  ...deed,
  ...earnings,
  ...error,
  ...everywhere,
  ...explore,
  ...governance,
  ...grants,
  ...help,
  ...license,
  ...market,
  ...network,
  ...settings,
  ...staking,
  ...studio,
  ...supply,
  ...usage,
  ...verify,
};
