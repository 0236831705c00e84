-- How often screening began on a draft, so that one which ends it every time does not do so for ever; whose Datanet it is for, so that
-- no Datanet and no contributor keeps the others waiting; and when something last happened to it, so that what was left behind expires.

alter table ingest.drafts
    add column datanet  text        not null default '',
    add column attempts integer     not null default 0,
    add column changed  timestamptz not null default clock_timestamp();

-- What is done stands on the log, and the names of its files are content.
delete from ingest.drafts where state = 'done';
update ingest.drafts set datanet = convert_from(manifest, 'UTF8')::jsonb ->> 'datanet';
create index drafts_changed on ingest.drafts (changed) where state in ('uploading', 'failed');
