internal import Postgres

/// What the catalogue says of a table, `$1` its schema and `$2` its name. Names come quoted, ready for SQL.
enum ShapeSQL {
    /// Why a rebuild can't copy the table, if so; no row when there is no table.
    static let obstacles: Statement = """
        select case
            when c.relkind <> 'r' or c.relispartition or c.relhassubclass then 'it is not a plain table'
            when c.relrowsecurity then 'it has row level security'
            when exists (select from pg_trigger t where t.tgrelid = c.oid and not t.tgisinternal) then 'it has a trigger'
            when exists (select from pg_attribute a where a.attrelid = c.oid and a.attacl is not null) then 'it has rights on single columns'
            when exists (select from pg_attribute a where a.attrelid = c.oid and a.attidentity <> '')
                or exists (
                    select from pg_attrdef d join pg_depend p on p.classid = 'pg_attrdef'::regclass and p.objid = d.oid
                    join pg_class s on p.refclassid = 'pg_class'::regclass and s.oid = p.refobjid and s.relkind = 'S'
                    where d.adrelid = c.oid)
                then 'a column takes its values from a sequence, which a replay does not repeat'
            when exists (
                select from pg_depend p where p.refclassid = 'pg_class'::regclass and p.refobjid = c.oid
                    and p.classid = 'pg_rewrite'::regclass and p.deptype = 'n')
                then 'a view depends on it'
            when exists (
                select from pg_constraint k join pg_class o on o.oid = k.conrelid join pg_namespace m on m.oid = o.relnamespace
                where k.contype = 'f' and k.confrelid = c.oid and not (m.nspname = $1 and o.relname::text = any ($3::text[])))
                then 'a table outside the projection refers to it'
        end as reason
        from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where n.nspname = $1 and c.relname = $2
        """

    static let facts: Statement = """
        select c.relpersistence::text as persistence, array_to_string(c.reloptions, ', ') as options,
            case when pg_get_userbyid(c.relowner) <> current_user then quote_ident(pg_get_userbyid(c.relowner)) end as owner
        from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname = $1 and c.relname = $2
        """

    /// Primary, unique and exclusion constraints, the primary key first.
    static let keys: Statement = """
        select quote_ident(k.conname) as name, pg_get_constraintdef(k.oid) as definition
        from pg_constraint k join pg_class c on c.oid = k.conrelid join pg_namespace n on n.oid = c.relnamespace
        where n.nspname = $1 and c.relname = $2 and k.contype in ('p', 'u', 'x') order by k.contype, k.conname
        """

    /// Indexes that belong to no constraint.
    static let indexes: Statement = """
        select quote_ident(i.relname) as name, x.indisunique as unique, pg_get_indexdef(x.indexrelid) as definition,
            'CREATE ' || case when x.indisunique then 'UNIQUE ' else '' end || 'INDEX ' || quote_ident(i.relname) || ' ON '
                || quote_ident(n.nspname) || '.' || quote_ident(c.relname) as head
        from pg_index x join pg_class i on i.oid = x.indexrelid join pg_class c on c.oid = x.indrelid
        join pg_namespace n on n.oid = c.relnamespace
        where n.nspname = $1 and c.relname = $2
            and not exists (select from pg_constraint k where k.conindid = x.indexrelid and k.contype in ('p', 'u', 'x'))
        order by i.relname
        """

    /// Foreign keys.
    static let references: Statement = """
        select quote_ident(k.conname) as name, pg_get_constraintdef(k.oid) as definition, t.relname::text as target,
            m.nspname::text as target_schema, quote_ident(m.nspname) || '.' || quote_ident(t.relname) as qualified
        from pg_constraint k join pg_class c on c.oid = k.conrelid join pg_namespace n on n.oid = c.relnamespace
        join pg_class t on t.oid = k.confrelid join pg_namespace m on m.oid = t.relnamespace
        where n.nspname = $1 and c.relname = $2 and k.contype = 'f' order by k.conname
        """

    /// Rights of others than the owner.
    static let grants: Statement = """
        select case a.grantee when 0 then 'public' else quote_ident(pg_get_userbyid(a.grantee)) end as grantee,
            a.privilege_type as privilege, a.is_grantable as grantable
        from pg_class c join pg_namespace n on n.oid = c.relnamespace, aclexplode(c.relacl) a
        where n.nspname = $1 and c.relname = $2 and a.grantee <> c.relowner
        """
}
