-- What every append pays for is kept small. A check constraint is read and planned anew by each statement, and the query of
-- the fence cost as much as an index entry: the term now comes from a sequence, which is read without a query.

-- Positions are dense from 0: the writer gives them, the primary key keeps them apart, and the audit counts them.
alter table ledger.events drop constraint events_position_sign;

create sequence ledger.term_number as bigint;
select setval('ledger.term_number', max(term)) from ledger.terms having max(term) is not null;
alter table ledger.terms alter column term set default nextval('ledger.term_number');

-- A number is taken outside of any transaction: from that moment on nobody who holds an older one writes.
create or replace function ledger.hold_term() returns trigger language plpgsql as $$
begin
    if coalesce(current_setting('openledger.term', true), '') is distinct from pg_sequence_last_value('ledger.term_number'::regclass)::text then
        raise exception 'term % has passed: term % leads', coalesce(nullif(current_setting('openledger.term', true), ''), 'none'),
            coalesce(pg_sequence_last_value('ledger.term_number'::regclass)::text, 'none')
            using errcode = 'restrict_violation';
    end if;
    return null;
end
$$;

grant usage, select on sequence ledger.term_number to openledger_ledger;
