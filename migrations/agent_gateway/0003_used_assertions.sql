-- Clients' assertions that were taken (RFC 7523): each is good once, whichever gateway it is shown to. They are no facts, and are forgotten
-- as soon as they hold no more.
create table agent_gateway.used_assertions (
    client text   not null,
    name   bytea  not null,  -- SHA-256 of what tells it from others
    ends   bigint not null,  -- seconds since 1970

    constraint used_assertions_name primary key (client, name),
    constraint used_assertions_name_length check (octet_length(name) = 32)
);
create index used_assertions_by_end on agent_gateway.used_assertions (ends);

grant select, insert, delete on agent_gateway.used_assertions to openledger_agent_gateway;
