-- The types of bytes and texts are replaced by each database's own; see schema.rs.
-- Money is decimal text of 39 digits, times of blocks are milliseconds, other times seconds.

CREATE TABLE meta (
  key TEXT PRIMARY KEY,
  value TEXT NOT NULL
);

CREATE TABLE blocks (
  number BIGINT PRIMARY KEY,
  hash BYTES NOT NULL UNIQUE,
  parent_hash BYTES NOT NULL,
  time BIGINT NOT NULL,
  proposer BYTES NOT NULL,
  gas_used BIGINT NOT NULL,
  gas_limit BIGINT NOT NULL,
  base_fee BIGINT NOT NULL,
  size BIGINT NOT NULL,
  transactions BIGINT NOT NULL,
  events BIGINT NOT NULL
);

CREATE TABLE transactions (
  block BIGINT NOT NULL,
  position BIGINT NOT NULL,
  hash BYTES NOT NULL UNIQUE,
  type BIGINT NOT NULL,
  sender BYTES NOT NULL,
  recipient BYTES,
  created BYTES,
  nonce BIGINT NOT NULL,
  value TEXT NOT NULL,
  input BYTES NOT NULL,
  method TEXT,
  is_success BIGINT NOT NULL,
  gas_limit BIGINT NOT NULL,
  gas_used BIGINT NOT NULL,
  gas_price TEXT NOT NULL,
  PRIMARY KEY (block, position)
);
CREATE INDEX transactions_of_people ON transactions (block, position) WHERE type <> 83;

CREATE TABLE events (
  block BIGINT NOT NULL,
  log_index BIGINT NOT NULL,
  position BIGINT NOT NULL,
  emitter BYTES NOT NULL,
  protocol TEXT,
  name TEXT,
  topics BYTES NOT NULL,
  data BYTES NOT NULL,
  PRIMARY KEY (block, log_index)
);
CREATE INDEX events_by_transaction ON events (block, position, log_index);
CREATE INDEX events_by_emitter ON events (emitter, block, log_index);
CREATE INDEX events_by_protocol ON events (protocol, block, log_index);
CREATE INDEX events_by_name ON events (protocol, name, block, log_index);

CREATE TABLE event_accounts (
  account BYTES NOT NULL,
  block BIGINT NOT NULL,
  log_index BIGINT NOT NULL,
  PRIMARY KEY (account, block, log_index)
);

CREATE TABLE event_assets (
  asset BIGINT NOT NULL,
  block BIGINT NOT NULL,
  log_index BIGINT NOT NULL,
  PRIMARY KEY (asset, block, log_index)
);

CREATE TABLE moves (
  block BIGINT NOT NULL,
  position BIGINT NOT NULL,
  log_index BIGINT NOT NULL,
  kind TEXT NOT NULL,
  token BYTES,
  sender BYTES NOT NULL,
  recipient BYTES NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (block, position, log_index)
);
CREATE INDEX moves_by_sender ON moves (sender, block, position, log_index);
CREATE INDEX moves_by_recipient ON moves (recipient, block, position, log_index);

CREATE TABLE accounts (
  account BYTES PRIMARY KEY,
  first_block BIGINT NOT NULL,
  last_block BIGINT NOT NULL,
  transactions BIGINT NOT NULL,
  funder BYTES
);

CREATE TABLE activity (
  account BYTES NOT NULL,
  block BIGINT NOT NULL,
  position BIGINT NOT NULL,
  PRIMARY KEY (account, block, position)
);

CREATE TABLE assets (
  asset BIGINT PRIMARY KEY,
  kind TEXT NOT NULL,
  creator BYTES NOT NULL,
  owner BYTES NOT NULL,
  account BYTES NOT NULL,
  content_hash BYTES NOT NULL,
  uri TEXT NOT NULL,
  name TEXT,
  description TEXT,
  tags TEXT NOT NULL,
  name_words TEXT NOT NULL,
  tag_words TEXT NOT NULL,
  text_words TEXT NOT NULL,
  input_price TEXT NOT NULL,
  output_price TEXT NOT NULL,
  derivative_royalty BIGINT NOT NULL,
  derivatives TEXT NOT NULL,
  is_sealed BIGINT NOT NULL,
  members BIGINT NOT NULL,
  units TEXT NOT NULL,
  owner_units TEXT,
  committed BIGINT NOT NULL,
  committed_units TEXT NOT NULL,
  block BIGINT NOT NULL,
  log_index BIGINT NOT NULL,
  registered_at BIGINT NOT NULL,
  revenue TEXT NOT NULL,
  fees TEXT NOT NULL,
  uses BIGINT NOT NULL,
  patrons BIGINT NOT NULL,
  quality TEXT NOT NULL
);
CREATE INDEX assets_by_owner ON assets (owner, asset);
CREATE INDEX assets_by_creator ON assets (creator, asset);
CREATE INDEX assets_by_account ON assets (account);
CREATE INDEX assets_by_content ON assets (content_hash, asset);
CREATE INDEX assets_by_derivatives ON assets (derivatives, asset);

CREATE TABLE edges (
  asset BIGINT NOT NULL,
  parent BIGINT NOT NULL,
  relation TEXT NOT NULL,
  PRIMARY KEY (asset, parent)
);
CREATE INDEX edges_by_parent ON edges (parent, asset);

CREATE TABLE ancestors (
  asset BIGINT NOT NULL,
  ancestor BIGINT NOT NULL,
  distance BIGINT NOT NULL,
  share BIGINT NOT NULL,
  PRIMARY KEY (asset, ancestor)
);
CREATE INDEX ancestors_by_ancestor ON ancestors (ancestor, asset);

CREATE TABLE members (
  asset BIGINT NOT NULL,
  account BYTES NOT NULL,
  units TEXT NOT NULL,
  PRIMARY KEY (asset, account)
);
CREATE INDEX members_by_account ON members (account, asset);
CREATE INDEX members_by_units ON members (asset, units, account);

-- What search filters and sorts by, as it stood from one block until another.
CREATE TABLE standings (
  asset BIGINT NOT NULL,
  since BIGINT NOT NULL,
  until BIGINT NOT NULL,
  kind TEXT NOT NULL,
  owner BYTES NOT NULL,
  price TEXT NOT NULL,
  revenue TEXT NOT NULL,
  uses BIGINT NOT NULL,
  quality TEXT NOT NULL,
  PRIMARY KEY (asset, since)
);
CREATE INDEX standings_by_end ON standings (until, asset);
CREATE INDEX standings_by_quality ON standings (quality, asset, until);
CREATE INDEX standings_by_revenue ON standings (revenue, asset, until);
CREATE INDEX standings_by_uses ON standings (uses, asset, until);
CREATE INDEX standings_by_price ON standings (price, asset, until);
CREATE INDEX standings_by_owner ON standings (owner, quality, asset);
CREATE INDEX standings_by_kind ON standings (kind, quality, asset);

-- What a payer's use of an asset cost in fees, by month: where quality comes from.
CREATE TABLE patrons (
  asset BIGINT NOT NULL,
  payer BYTES NOT NULL,
  month TEXT NOT NULL,
  fees TEXT NOT NULL,
  PRIMARY KEY (asset, payer, month)
);

CREATE TABLE payments (
  block BIGINT NOT NULL,
  log_index BIGINT NOT NULL,
  part BIGINT NOT NULL,
  position BIGINT NOT NULL,
  kind TEXT NOT NULL,
  payer BYTES,
  payee BYTES,
  asset BIGINT,
  source BIGINT,
  channel BYTES,
  amount TEXT NOT NULL,
  PRIMARY KEY (block, log_index, part)
);
CREATE INDEX payments_by_transaction ON payments (block, position, log_index, part);
CREATE INDEX payments_by_payer ON payments (payer, block, log_index, part);
CREATE INDEX payments_by_payee ON payments (payee, block, log_index, part);
CREATE INDEX payments_by_asset ON payments (asset, block, log_index, part);
CREATE INDEX payments_by_channel ON payments (channel, block, log_index, part);
CREATE INDEX payments_by_kind ON payments (kind, block, log_index, part);

-- What an account earned and spent, by asset (0: all) and period (day, month, all); see tally.rs for the reasons.
CREATE TABLE statements (
  account BYTES NOT NULL,
  asset BIGINT NOT NULL,
  period TEXT NOT NULL,
  reason TEXT NOT NULL,
  amount TEXT NOT NULL,
  entries BIGINT NOT NULL,
  PRIMARY KEY (account, asset, period, reason)
);
CREATE INDEX statements_by_period ON statements (account, asset, reason, period);
CREATE INDEX statements_by_asset ON statements (asset, period, reason, amount, account);

-- What an asset took, by period; see tally.rs for the measures.
CREATE TABLE asset_periods (
  asset BIGINT NOT NULL,
  period TEXT NOT NULL,
  measure TEXT NOT NULL,
  amount TEXT NOT NULL,
  PRIMARY KEY (asset, period, measure)
);

-- The whole chain by period.
CREATE TABLE chain_periods (
  period TEXT NOT NULL,
  measure TEXT NOT NULL,
  amount TEXT NOT NULL,
  PRIMARY KEY (period, measure)
);

CREATE TABLE channels (
  channel BYTES PRIMARY KEY,
  payer BYTES NOT NULL,
  gateway BYTES NOT NULL,
  is_grant BIGINT NOT NULL,
  deposit TEXT NOT NULL,
  settled TEXT NOT NULL,
  requests BIGINT NOT NULL,
  closable_at BIGINT,
  is_closed BIGINT NOT NULL,
  block BIGINT NOT NULL,
  log_index BIGINT NOT NULL
);
CREATE INDEX channels_by_payer ON channels (payer, block, log_index);
CREATE INDEX channels_by_gateway ON channels (gateway, block, log_index);

CREATE TABLE operators (
  account BYTES NOT NULL,
  role TEXT NOT NULL,
  endpoint TEXT NOT NULL,
  bond TEXT NOT NULL,
  fee BIGINT,
  leaving_at BIGINT,
  has_left BIGINT NOT NULL,
  block BIGINT NOT NULL,
  PRIMARY KEY (account, role)
);
CREATE INDEX operators_by_role ON operators (role, account);

CREATE TABLE offers (
  worker BYTES NOT NULL,
  asset BIGINT NOT NULL,
  input_price TEXT NOT NULL,
  output_price TEXT NOT NULL,
  is_served BIGINT NOT NULL,
  PRIMARY KEY (worker, asset)
);
CREATE INDEX offers_by_asset ON offers (asset, worker);

-- Licences.
CREATE TABLE terms (
  terms BYTES PRIMARY KEY,
  template TEXT NOT NULL,
  pricing TEXT NOT NULL,
  price TEXT NOT NULL,
  period BIGINT NOT NULL,
  duration BIGINT NOT NULL,
  purposes BIGINT NOT NULL,
  needs_approval BIGINT NOT NULL,
  is_reciprocal BIGINT NOT NULL,
  needs_attribution BIGINT NOT NULL,
  is_transferable BIGINT NOT NULL,
  is_revocable BIGINT NOT NULL,
  derivative_royalty BIGINT NOT NULL,
  resale_royalty BIGINT NOT NULL,
  use_cap TEXT NOT NULL,
  seat_cap BIGINT NOT NULL,
  seat_window BIGINT NOT NULL,
  territory BYTES NOT NULL,
  restrictions BYTES NOT NULL
);

CREATE INDEX terms_by_template ON terms (template, price);
CREATE INDEX terms_by_pricing ON terms (pricing, price);
CREATE INDEX terms_by_purposes ON terms (purposes, price);
CREATE INDEX terms_by_price ON terms (price);

CREATE TABLE license_offers (
  asset BIGINT NOT NULL,
  terms BYTES NOT NULL,
  is_offered BIGINT NOT NULL,
  PRIMARY KEY (asset, terms)
);
CREATE INDEX license_offers_by_terms ON license_offers (terms, asset);

CREATE TABLE licenses (
  license BIGINT PRIMARY KEY,
  asset BIGINT NOT NULL,
  terms BYTES NOT NULL,
  holder BYTES NOT NULL,
  seats BIGINT NOT NULL,
  expires_at TEXT NOT NULL,
  use_limit TEXT NOT NULL,
  uses TEXT NOT NULL,
  is_revoked BIGINT NOT NULL,
  block BIGINT NOT NULL,
  log_index BIGINT NOT NULL
);
CREATE INDEX licenses_by_holder ON licenses (holder, license);
CREATE INDEX licenses_by_asset ON licenses (asset, license);

CREATE TABLE seats (
  license BIGINT NOT NULL,
  account BYTES NOT NULL,
  PRIMARY KEY (license, account)
);
CREATE INDEX seats_by_account ON seats (account, license);

-- The market. A collection is asset or license; what cannot be a token of ours is -1.
CREATE TABLE listings (
  listing BYTES PRIMARY KEY,
  seller BYTES NOT NULL,
  buyer BYTES,
  starts_at TEXT NOT NULL,
  ends_at TEXT NOT NULL,
  nonce TEXT NOT NULL,
  referral BIGINT NOT NULL,
  refund_seconds BIGINT NOT NULL,
  price TEXT NOT NULL,
  end_price TEXT NOT NULL,
  is_open BIGINT NOT NULL,
  block BIGINT NOT NULL,
  log_index BIGINT NOT NULL
);
CREATE INDEX listings_by_seller ON listings (seller, nonce);
CREATE INDEX listings_by_place ON listings (is_open, block, log_index);

CREATE TABLE listing_items (
  listing BYTES NOT NULL,
  place BIGINT NOT NULL,
  collection TEXT NOT NULL,
  token BIGINT NOT NULL,
  price TEXT NOT NULL,
  end_price TEXT NOT NULL,
  PRIMARY KEY (listing, place)
);
CREATE INDEX listing_items_by_token ON listing_items (collection, token, listing);

CREATE TABLE market_offers (
  offer BIGINT PRIMARY KEY,
  bidder BYTES NOT NULL,
  collection TEXT NOT NULL,
  token BIGINT NOT NULL,
  price TEXT NOT NULL,
  ends_at TEXT NOT NULL,
  status TEXT NOT NULL
);
CREATE INDEX market_offers_by_token ON market_offers (collection, token, offer);
CREATE INDEX market_offers_by_bidder ON market_offers (bidder, offer);

CREATE TABLE auctions (
  auction BIGINT PRIMARY KEY,
  seller BYTES NOT NULL,
  collection TEXT NOT NULL,
  token BIGINT NOT NULL,
  reserve TEXT NOT NULL,
  ends_at TEXT NOT NULL,
  bidder BYTES,
  price TEXT,
  status TEXT NOT NULL
);
CREATE INDEX auctions_by_token ON auctions (collection, token, auction);

CREATE TABLE sales (
  block BIGINT NOT NULL,
  log_index BIGINT NOT NULL,
  collection TEXT NOT NULL,
  token BIGINT NOT NULL,
  seller BYTES NOT NULL,
  buyer BYTES NOT NULL,
  price TEXT NOT NULL,
  royalty TEXT NOT NULL,
  referral TEXT NOT NULL,
  PRIMARY KEY (block, log_index)
);
CREATE INDEX sales_by_token ON sales (collection, token, block, log_index);

-- What could be bought from one block until another: a new licence of an asset (way license), or an asset or a licence
-- that somebody lists or auctions (way listing, auction). A thing is an asset or a licence by its number.
CREATE TABLE for_sale (
  since BIGINT NOT NULL,
  place BIGINT NOT NULL,
  until BIGINT NOT NULL,
  way TEXT NOT NULL,
  thing TEXT NOT NULL,
  token BIGINT NOT NULL,
  asset BIGINT NOT NULL,
  kind TEXT NOT NULL,
  terms BYTES,
  listing BYTES,
  auction BIGINT,
  seller BYTES NOT NULL,
  price TEXT NOT NULL,
  starts_at TEXT NOT NULL,
  ends_at TEXT NOT NULL,
  PRIMARY KEY (since, place)
);
CREATE INDEX for_sale_by_end ON for_sale (until, since, place);
CREATE INDEX for_sale_by_price ON for_sale (price, since, place);
CREATE INDEX for_sale_by_ends_at ON for_sale (ends_at, since, place);
CREATE INDEX for_sale_by_thing ON for_sale (token, thing, until);
CREATE INDEX for_sale_by_asset ON for_sale (asset, since, place);
CREATE INDEX for_sale_by_way ON for_sale (way, asset, since);
CREATE INDEX for_sale_by_kind ON for_sale (kind, price, since, place);
CREATE INDEX for_sale_by_seller ON for_sale (seller, since, place);
CREATE INDEX for_sale_by_terms ON for_sale (terms, asset);
