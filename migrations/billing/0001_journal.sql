-- Billing's read models: rows that follow from the log alone and can be made again from it.

create schema billing;
grant usage on schema billing to openledger_billing;

create table billing.projection_positions (
    projection text        not null,
    version    integer     not null,  -- of the projection whose code made the rows
    next       bigint      not null,  -- all lower positions are in the rows
    changed    timestamptz not null default clock_timestamp(),

    constraint projection_positions_projection primary key (projection),
    constraint projection_positions_next check (next >= 0)
);
grant select, insert, update on billing.projection_positions to openledger_billing;

create table billing.balances (
    account text    not null,
    asset   text    not null,
    balance numeric not null,

    constraint balances_account primary key (account, asset)
) with (fillfactor = 80);

-- One row for each account and asset that an event touches.
create table billing.entries (
    account   text    not null,
    asset     text    not null,
    position  bigint  not null,  -- of the event
    amount    numeric not null,
    balance   numeric not null,  -- after it
    type      text    not null,
    subject   text    not null,  -- the settlement, deposit, hold … that the event is about
    reference text    not null,  -- the answer or training that was paid for
    time      bigint  not null,  -- microseconds since 1970

    constraint entries_place primary key (account, asset, position)
);
create index entries_by_time on billing.entries (account, asset, time);

grant select, insert, update, delete on billing.balances, billing.entries to openledger_billing;
