-- Entries come in the order of the log, which is nearly that of time: a few summaries of blocks find a period as well as an index row for each
-- entry did, and booking an entry costs one index less. An account with few entries is read by its own index.

drop index billing.entries_by_time;
create index entries_by_time on billing.entries using brin (time) with (pages_per_range = 32, autosummarize = on);
