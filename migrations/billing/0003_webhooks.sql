-- Who wants to be told of what happens on their accounts, and how each telling went. No read model: addresses and attempts are not on
-- the log.

create table billing.webhooks (
    id         text        not null,
    account    text        not null,
    url        text        not null,
    types      text[]      not null,  -- event types; none for all
    generation integer     not null default 0,  -- of the secret
    rotated    timestamptz,           -- the secret before the present one signs along for a day
    since      bigint      not null,  -- events from this position on
    command    text        not null,  -- what made it
    digest     text        not null,
    created    timestamptz not null default clock_timestamp(),
    ended      timestamptz,           -- by its owner, or because the address said that it is gone

    constraint webhooks_id primary key (id),
    constraint webhooks_command unique (command)
);
create index webhooks_by_account on billing.webhooks (account) where ended is null;

create table billing.deliveries (
    webhook  text        not null references billing.webhooks,
    position bigint      not null,  -- of the event
    event    text        not null,  -- its id: the same however often it is sent
    type     text        not null,
    body     text        not null,
    state    text        not null default 'waiting',
    attempts integer     not null default 0,
    due      timestamptz not null default clock_timestamp(),

    constraint deliveries_place primary key (webhook, position),
    constraint deliveries_state check (state in ('waiting', 'delivered', 'failed'))
);
create index deliveries_due on billing.deliveries (due) where state = 'waiting';

create table billing.attempts (
    webhook  text        not null,
    position bigint      not null,
    attempt  integer     not null,
    time     timestamptz not null default clock_timestamp(),
    status   integer,               -- of the answer
    error    text,                  -- why there was none
    millis   integer     not null,

    constraint attempts_place primary key (webhook, position, attempt),
    constraint attempts_delivery foreign key (webhook, position) references billing.deliveries
);

grant select, insert, update on billing.webhooks, billing.deliveries, billing.attempts to openledger_billing;
