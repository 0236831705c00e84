-- What every append pays for is kept small. A check constraint is read and planned anew by each statement, and the fence's
-- function and query cost more than the indexes: the term now comes from a sequence, which is read without a query, and the
-- function is called only to refuse.

-- Positions are dense from 0: the writer gives them, the primary key keeps them apart, and the audit counts them.
alter table ledger.events drop constraint events_position_sign;

create sequence ledger.term_number as bigint;
select setval('ledger.term_number', max(term)) from ledger.terms having max(term) is not null;
alter table ledger.terms alter column term set default nextval('ledger.term_number');
grant usage, select on sequence ledger.term_number to openledger_ledger;

-- A number is taken outside of any transaction: from that moment on nobody who holds an older one writes.
drop trigger hold_term on ledger.events;
drop function ledger.hold_term();

create function ledger.refuse_term() returns trigger language plpgsql as $$
begin
    raise exception 'term % has passed: term % leads', coalesce(nullif(current_setting('openledger.term', true), ''), 'none'),
        coalesce(pg_sequence_last_value('ledger.term_number'::regclass)::text, 'none')
        using errcode = 'restrict_violation';
end
$$;

create trigger hold_term before insert on ledger.events for each statement
    when (coalesce(current_setting('openledger.term', true), '')
        is distinct from pg_sequence_last_value('ledger.term_number'::regclass)::text)
    execute function ledger.refuse_term();
