-- The log. One row an event, in one order without gaps. Nothing here is ever changed or removed: no role but the owner
-- of the database could try, and a trigger refuses whoever does.

create schema ledger;

create table ledger.events (
    position bigint not null,  -- the leaf's index, from 0, dense
    stream   uuid   not null,  -- the first 128 bits of SHA-256 of the stream's name
    version  bigint not null,  -- the event's number in its stream, from 0
    command  uuid,             -- on the first event of an append: the first 128 bits of SHA-256 of writer and cause
    leaf     bytea  not null,  -- RFC 6962: SHA-256(0x00 || bytes)
    bytes    bytea  not null,  -- canonical JSON as it was written

    constraint events_position primary key (position),
    constraint events_stream_version unique (stream, version),
    constraint events_position_sign check (position >= 0)
);
create unique index events_command on ledger.events (command) where command is not null;

-- Hashes do not compress, and events are read whole: trying to compress them only costs time.
alter table ledger.events alter column leaf set storage plain;
alter table ledger.events alter column bytes set storage external;

-- Full tiles of the C2SP tlog-tiles layout. A partial tile follows from the leaves, or from the roots of the level below.
create table ledger.tiles (
    level  smallint not null,
    index  bigint   not null,
    hashes bytea    not null,  -- 256 hashes of 32 bytes
    root   bytea    not null,  -- the hash that stands for this tile one level up

    constraint tiles_place primary key (level, index),
    constraint tiles_full check (octet_length(hashes) = 8192 and octet_length(root) = 32)
);
alter table ledger.tiles alter column hashes set storage external;

-- Who led, and since when. A writer holds the newest term; every commit checks that it still does.
create table ledger.terms (
    term    bigint      not null,
    holder  text        not null,
    started timestamptz not null default clock_timestamp(),

    constraint terms_term primary key (term)
);

-- The log's name is given once. All signed checkpoints are kept, with the witnesses' lines apart.
create table ledger.identity (
    singleton boolean not null default true,
    origin    text    not null,

    constraint identity_singleton primary key (singleton),
    constraint identity_one check (singleton)
);

create table ledger.checkpoints (
    number bigint      not null,
    size   bigint      not null,
    note   text        not null,
    signed timestamptz not null default clock_timestamp(),

    constraint checkpoints_number primary key (number)
);

create table ledger.cosignatures (
    checkpoint bigint not null,
    line       text   not null,

    constraint cosignatures_line primary key (checkpoint, line),
    constraint cosignatures_checkpoint foreign key (checkpoint) references ledger.checkpoints (number)
);

-- Where the carriage to Kafka stands. Not part of the log: losing it only means that some events are published again.
create table ledger.carriage (
    topic text   not null,
    next  bigint not null,

    constraint carriage_topic primary key (topic)
);

create function ledger.refuse_change() returns trigger language plpgsql as $$
begin
    raise exception 'ledger.% is append-only: % is refused', tg_table_name, tg_op using errcode = 'restrict_violation';
end
$$;

create trigger append_only before update or delete or truncate on ledger.events
    for each statement execute function ledger.refuse_change();
create trigger append_only before update or delete or truncate on ledger.tiles
    for each statement execute function ledger.refuse_change();
create trigger append_only before update or delete or truncate on ledger.terms
    for each statement execute function ledger.refuse_change();
create trigger append_only before update or delete or truncate on ledger.identity
    for each statement execute function ledger.refuse_change();
create trigger append_only before update or delete or truncate on ledger.checkpoints
    for each statement execute function ledger.refuse_change();
create trigger append_only before update or delete or truncate on ledger.cosignatures
    for each statement execute function ledger.refuse_change();

-- Whoever writes says in openledger.term which term it holds, and writes nothing once that has passed.
create function ledger.hold_term() returns trigger language plpgsql as $$
declare
    held   text := nullif(current_setting('openledger.term', true), '');
    newest bigint;
begin
    select max(term) into newest from ledger.terms;
    if held is null or held::bigint is distinct from newest then
        raise exception 'term % has passed: term % leads', coalesce(held, 'none'), newest
            using errcode = 'restrict_violation';
    end if;
    return null;
end
$$;

create trigger hold_term before insert on ledger.events for each statement execute function ledger.hold_term();

grant usage on schema ledger to openledger_ledger;
grant select, insert on ledger.events, ledger.tiles, ledger.terms, ledger.identity, ledger.checkpoints, ledger.cosignatures
    to openledger_ledger;
grant select, insert, update on ledger.carriage to openledger_ledger;
