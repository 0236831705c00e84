-- Contributions on their way in: what has been uploaded and not yet screened. Everything that is settled stands on the log;
-- a draft that is lost has to be uploaded again.

create schema ingest;

create table ingest.drafts (
    contribution text        not null,
    contributor  text        not null,
    manifest     bytea       not null,  -- canonical JSON, as it was signed
    signature    bytea       not null,
    state        text        not null default 'uploading',
    command      text,                  -- the command that ended the upload
    digest       bytea,
    correlation  text,
    rows_read    bigint      not null default 0,
    problem      text,                  -- why it failed
    created      timestamptz not null default clock_timestamp(),

    constraint drafts_contribution primary key (contribution),
    constraint drafts_state check (state in ('uploading', 'queued', 'done', 'failed')),
    constraint drafts_command check (state in ('uploading', 'failed') or command is not null)
);
create index drafts_queued on ingest.drafts (created) where state = 'queued';
create index drafts_contributor on ingest.drafts (contributor, created);

-- The uploaded bytes lie sealed in the blob store, a part at a time.
create table ingest.parts (
    contribution text     not null,
    file         integer  not null,
    start        bigint   not null,
    bytes        bigint   not null,
    commitment   bytea    not null,

    constraint parts_place primary key (contribution, file, start),
    constraint parts_of_draft foreign key (contribution) references ingest.drafts (contribution) on delete cascade,
    constraint parts_bytes check (start >= 0 and bytes > 0)
);

grant usage on schema ingest to openledger_ingest;
grant select, insert, update, delete on ingest.drafts, ingest.parts to openledger_ingest;
