-- What people look up and search: all of it can be dropped and made again from the log and the evidence, the texts from the
-- contributors' blobs as well.

create schema datanet;

create table datanet.projection_positions (
    projection text        not null,
    version    integer     not null,  -- of the projection whose code made the rows
    next       bigint      not null,  -- all lower positions are in the rows
    changed    timestamptz not null default clock_timestamp(),

    constraint projection_positions_projection primary key (projection),
    constraint projection_positions_next check (next >= 0)
);

create table datanet.datanets (
    id       text        not null,
    owner    text        not null,  -- who created it
    domain   text        not null,
    media    text        not null,
    policy   jsonb       not null,
    created  timestamptz not null,
    position bigint      not null,  -- of datanet.created

    constraint datanets_id primary key (id),
    constraint datanets_position unique (position)
);
create index datanets_domain on datanet.datanets (domain, position);

create table datanet.members (
    datanet   text not null,
    principal text not null,
    role      text not null,

    constraint members_role primary key (datanet, principal, role)
);

-- What was screened, so that an erasure reaches what was screened before it and nothing after.
create table datanet.contributions (
    id          text   not null,
    datanet     text   not null,
    contributor text   not null,
    position    bigint not null,  -- of contribution.screened
    status      text   not null,  -- pending, review, admitted, or refused
    reason      text   not null,  -- why refused; else empty

    constraint contributions_id primary key (id)
);
create index contributions_datanet on datanet.contributions (datanet, position);

create table datanet.items (
    item         text    not null,
    datanet      text    not null,
    contribution text    not null,
    owner        text    not null,
    commitment   bytea   not null,
    tokens       bigint  not null,
    licence      text    not null,
    language     text    not null,
    cluster      text    not null,
    dropped      boolean not null,  -- withdrawn or erased

    constraint items_item primary key (contribution, item)
);
create index items_datanet on datanet.items (datanet, owner);
create index items_owner on datanet.items (owner);
create index items_id on datanet.items (item);

-- Consent taken back. An empty contribution: the item wherever it is; an empty item: the whole contribution.
create table datanet.withdrawals (
    contribution text not null,
    item         text not null,

    constraint withdrawals_what primary key (contribution, item)
);
create table datanet.erasures (
    owner    text   not null,
    position bigint not null,

    constraint erasures_owner primary key (owner)
);

create table datanet.snapshots (
    id        text        not null,
    datanet   text        not null,
    number    integer     not null,
    root      bytea       not null,
    list      bytea       not null,
    manifest  bytea       not null,
    items     bigint      not null,
    tokens    bigint      not null,
    owners    bigint      not null,
    publisher text        not null,
    published timestamptz not null,
    position  bigint      not null,

    constraint snapshots_id primary key (id),
    constraint snapshots_number unique (datanet, number)
);

create table datanet.reviews (
    id           text        not null,
    datanet      text        not null,
    contribution text        not null,
    round        integer     not null,
    opened       timestamptz not null,
    outcome      text        not null,  -- empty while it runs
    admit        integer     not null,
    refuse       integer     not null,
    position     bigint      not null,

    constraint reviews_id primary key (id)
);
create index reviews_datanet on datanet.reviews (datanet, position);

create table datanet.proposals (
    id        text        not null,
    datanet   text        not null,
    proposer  text        not null,
    policy    jsonb       not null,
    voting    text        not null,
    opened    timestamptz not null,
    closes    timestamptz not null,
    outcome   text        not null,  -- empty while it runs
    in_favour numeric     not null,
    against   numeric     not null,
    enacted   boolean     not null,
    position  bigint      not null,

    constraint proposals_id primary key (id)
);
create index proposals_datanet on datanet.proposals (datanet, position);

-- Requests, grants, revocations and uses, one row an event: who was let in, and who read what.
create table datanet.accesses (
    position  bigint      not null,
    datanet   text        not null,
    what      text        not null,  -- requested, granted, revoked or used
    id        text        not null,
    principal text        not null,
    data      jsonb       not null,
    time      timestamptz not null,

    constraint accesses_position primary key (position)
);
create index accesses_datanet on datanet.accesses (datanet, position);

create table datanet.rulings (
    id       text        not null,
    about    text        not null,
    subject  text        not null,
    upheld   boolean     not null,
    data     jsonb       not null,
    time     timestamptz not null,
    position bigint      not null,

    constraint rulings_id primary key (id)
);
create index rulings_position on datanet.rulings (position);

-- A cache of content, for search; filled from the contributors' blobs, emptied by withdrawal and erasure. Rows without text
-- are items whose content could not be had.
create table datanet.texts (
    item         text     not null,
    contribution text     not null,
    datanet      text     not null,
    body         text,
    words        tsvector not null generated always as (to_tsvector('simple', coalesce(body, ''))) stored,

    constraint texts_item primary key (contribution, item)
);
create index texts_words on datanet.texts using gin (words);
create index texts_datanet on datanet.texts (datanet);

-- Up to where the keys of erased writers have been destroyed here. Lost with the schema, it is done once more, which costs only
-- what was written since.
create table datanet.erased_writings (
    owner    text   not null,
    position bigint not null,

    constraint erased_writings_owner primary key (owner)
);

grant usage on schema datanet to openledger_datanet;
grant select, insert, update on datanet.projection_positions to openledger_datanet;
grant select, insert, update, delete
    on datanet.datanets, datanet.members, datanet.contributions, datanet.items, datanet.withdrawals, datanet.erasures,
    datanet.snapshots, datanet.reviews, datanet.proposals, datanet.accesses, datanet.rulings, datanet.texts,
    datanet.erased_writings
    to openledger_datanet;
