-- A checkpoint is signed several times a second while the log grows: kept for ever they would outgrow the log's own tree. Of those that
-- are older than ten minutes (a witness may still be at the younger ones) the last of each hour is kept, and the last that was cosigned.
-- Any of the others follows from the log: its tree of that size, signed by a later checkpoint that continues it.

drop trigger append_only on ledger.checkpoints;
drop trigger append_only on ledger.cosignatures;
create trigger append_only before update or truncate on ledger.checkpoints
    for each statement execute function ledger.refuse_change();
create trigger append_only before update or truncate on ledger.cosignatures
    for each statement execute function ledger.refuse_change();
-- No role but the owner may delete at all; what goes is decided by the function below.
create trigger append_only_but_thinned before delete on ledger.checkpoints for each statement
    when (coalesce(current_setting('openledger.thinning', true), '') <> 'on') execute function ledger.refuse_change();
create trigger append_only_but_thinned before delete on ledger.cosignatures for each statement
    when (coalesce(current_setting('openledger.thinning', true), '') <> 'on') execute function ledger.refuse_change();

-- Removes at most so many checkpoints that nothing needs; gives how many there were.
create function ledger.thin_checkpoints(most bigint) returns bigint language plpgsql security definer
set search_path = pg_catalog, pg_temp set openledger.thinning = 'on' as $$
declare
    superfluous bigint[];
begin
    select array_agg(number) into superfluous from (
        select number from (
            select number, signed, is_cosigned, max(number) over hour as newest,
                max(number) filter (where is_cosigned) over hour as newest_cosigned
            from (
                select number, signed, number in (select checkpoint from ledger.cosignatures) as is_cosigned
                from ledger.checkpoints
            ) as told
            window hour as (partition by date_bin('1 hour', signed, timestamptz '2000-01-01 00:00:00Z'))
        ) as placed
        where signed < clock_timestamp() - interval '10 minutes'
            and number < (case when is_cosigned then newest_cosigned else newest end)
        order by number limit most
    ) as chosen;
    delete from ledger.cosignatures where checkpoint = any (superfluous);
    delete from ledger.checkpoints where number = any (superfluous);
    return coalesce(cardinality(superfluous), 0);
end
$$;
revoke all on function ledger.thin_checkpoints(bigint) from public;
grant execute on function ledger.thin_checkpoints(bigint) to openledger_ledger;
