import type { en } from "./en.ts";
import { account } from "./id/account.ts";
import { asset } from "./id/asset.ts";
import { chat } from "./id/chat.ts";
import { deed } from "./id/deed.ts";
import { earnings } from "./id/earnings.ts";
import { error } from "./id/error.ts";
import { everywhere } from "./id/everywhere.ts";
import { explore } from "./id/explore.ts";
import { governance } from "./id/governance.ts";
import { grants } from "./id/grants.ts";
import { help } from "./id/help.ts";
import { license } from "./id/license.ts";
import { market } from "./id/market.ts";
import { network } from "./id/network.ts";
import { settings } from "./id/settings.ts";
import { staking } from "./id/staking.ts";
import { studio } from "./id/studio.ts";
import { supply } from "./id/supply.ts";
import { usage } from "./id/usage.ts";
import { verify } from "./id/verify.ts";

/** As `./en.ts`, in Bahasa Indonesia. */
export const id: Record<keyof typeof en, string> = {
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
