-- An entry names its account by number, and what it shares with the other entries of its event stands once: a settlement with a dozen
-- entries writes a third of the bytes, and its index compares numbers. The rows that were there become what the new code makes of the
-- same events, so nothing has to be built anew.

create table billing.booked (
    position  bigint not null,  -- of the event
    type      text   not null,
    subject   text   not null,  -- the settlement, deposit, hold … that the event is about
    reference text   not null,  -- the answer or training that was paid for

    constraint booked_position primary key (position)
);

alter table billing.balances add column number integer;  -- in the order of the accounts' first entries
with first as (select account, asset, min(position) as position from billing.entries group by account, asset),
    numbered as (
        select account, asset, row_number() over (order by position, account collate "C", asset collate "C") - 1 as number from first)
update billing.balances b set number = n.number from numbered n where n.account = b.account and n.asset = b.asset;
alter table billing.balances alter column number set not null;
alter table billing.balances add constraint balances_number unique (number);

insert into billing.booked (position, type, subject, reference)
select distinct position, type, subject, reference from billing.entries order by position;

alter table billing.entries rename to entries_wide;
alter table billing.entries_wide rename constraint entries_place to entries_wide_place;
drop index billing.entries_by_time;
create table billing.entries (
    account  integer not null,  -- its number in balances
    position bigint  not null,  -- of the event
    amount   numeric not null,
    balance  numeric not null,  -- after it
    time     bigint  not null,  -- microseconds since 1970

    constraint entries_place primary key (account, position)
);
insert into billing.entries (account, position, amount, balance, time)
select b.number, e.position, e.amount, e.balance, e.time
from billing.entries_wide e join billing.balances b on b.account = e.account and b.asset = e.asset order by e.position, b.account collate "C";
drop table billing.entries_wide;
create index entries_by_time on billing.entries using brin (time) with (pages_per_range = 32, autosummarize = on);

grant select, insert, update, delete on billing.booked, billing.entries to openledger_billing;
update billing.projection_positions set version = 2 where projection = 'journal' and version = 1;
