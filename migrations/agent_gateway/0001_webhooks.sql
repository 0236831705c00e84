-- Who wants to be told of what happens to tasks, and how each telling went. Only `task_parties` is a read model: addresses and attempts
-- are not on the log.

create schema agent_gateway;

create table agent_gateway.projection_positions (
    projection text        not null,
    version    integer     not null,  -- of the projection whose code made the rows
    next       bigint      not null,  -- all lower positions are in the rows
    changed    timestamptz not null default clock_timestamp(),

    constraint projection_positions_projection primary key (projection),
    constraint projection_positions_next check (next >= 0)
);

-- Who has to do with a task: what happens to it is told to them.
create table agent_gateway.task_parties (
    task  text not null,
    root  text not null,
    party text not null,

    constraint task_parties_place primary key (task, party)
);

create table agent_gateway.webhooks (
    id         text        not null,
    owner      text        not null,  -- the principal that is told
    form       text        not null,  -- of what is sent
    task       text,                  -- only what happens to this one
    name       text,                  -- what its owner calls it, in A2A
    url        text        not null,
    types      text[]      not null,  -- event types; none for all
    sealed     bytea,                 -- what the receiver wants to see, such as a token
    generation integer     not null default 0,  -- of the secret
    rotated    timestamptz,           -- the secret before the present one signs along for a day
    since      bigint      not null,  -- events from this position on
    command    text        not null,  -- what made it
    digest     text        not null,
    created    timestamptz not null default clock_timestamp(),
    ended      timestamptz,           -- by its owner, or because the address said that it is gone

    constraint webhooks_id primary key (id),
    constraint webhooks_command unique (command),
    constraint webhooks_form check (form in ('standard', 'a2a-1.0', 'a2a-0.3'))
);
create index webhooks_by_owner on agent_gateway.webhooks (owner) where ended is null;

create table agent_gateway.deliveries (
    webhook  text        not null references agent_gateway.webhooks,
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
create index deliveries_due on agent_gateway.deliveries (due) where state = 'waiting';

create table agent_gateway.attempts (
    webhook  text        not null,
    position bigint      not null,
    attempt  integer     not null,
    time     timestamptz not null default clock_timestamp(),
    status   integer,               -- of the answer
    error    text,                  -- why there was none
    millis   integer     not null,

    constraint attempts_place primary key (webhook, position, attempt),
    constraint attempts_delivery foreign key (webhook, position) references agent_gateway.deliveries
);

grant usage on schema agent_gateway to openledger_agent_gateway;
grant select, insert, update on agent_gateway.projection_positions to openledger_agent_gateway;
grant select, insert, update, delete on agent_gateway.task_parties to openledger_agent_gateway;
grant select, insert, update on agent_gateway.webhooks, agent_gateway.deliveries, agent_gateway.attempts to openledger_agent_gateway;
