-- The texts are content, had from the contributors' blobs and made anew from them at need: they go into no write-ahead log and no base
-- backup, where an erasure would not reach them, and what was deleted is cleared away at the next round of the autovacuum.

alter table datanet.texts set unlogged;
alter table datanet.texts set (
    autovacuum_vacuum_threshold = 0, autovacuum_vacuum_scale_factor = 0,
    toast.autovacuum_vacuum_threshold = 0, toast.autovacuum_vacuum_scale_factor = 0);
