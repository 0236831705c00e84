-- Entries are of the log time at which they were booked, so that nothing changes a month that is over. The journal's rows are made anew.

alter table billing.booked add column time bigint not null default 0;  -- microseconds since 1970
