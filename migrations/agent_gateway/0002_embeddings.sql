-- Embeddings of passages, by the commitment to what was embedded. A cache of content: what they say of a text is had from the text again,
-- so they go into no write-ahead log and no base backup, where an erasure would not reach them, and what was deleted is cleared away at
-- the next round of the autovacuum.
create unlogged table agent_gateway.embeddings (
    model  text  not null,
    hash   bytea not null,
    vector bytea not null,  -- two bytes a number, the low one first

    constraint embeddings_hash primary key (model, hash),
    constraint embeddings_hash_length check (octet_length(hash) = 32)
);
alter table agent_gateway.embeddings set (
    autovacuum_vacuum_threshold = 0, autovacuum_vacuum_scale_factor = 0,
    toast.autovacuum_vacuum_threshold = 0, toast.autovacuum_vacuum_scale_factor = 0);

grant select, insert, delete on agent_gateway.embeddings to openledger_agent_gateway;
