-- What people are shown besides entries: what each answer was and who shaped it, and what was settled. Rows that follow from the log alone.

-- One row for each answer and training that billing was told of.
create table billing.answers (
    reference     text   not null,
    model         text   not null default '',
    version       bigint not null default 0,
    input_tokens  bigint not null default 0,
    output_tokens bigint not null default 0,
    attribution   text   not null default '',
    shares        text   not null default '',  -- JSON: Datanet → owner → parts of 10^9

    constraint answers_reference primary key (reference)
) with (fillfactor = 70);

create table billing.settled (
    settlement text    not null,
    position   bigint  not null,  -- of the settlement
    attributed bigint  not null,  -- the position of what it settles
    kind       text    not null,
    reference  text    not null,
    payer      text    not null,
    asset      text    not null,
    fee        numeric not null,
    time       bigint  not null,  -- microseconds since 1970

    constraint settled_settlement primary key (settlement)
);
create index settled_by_payer on billing.settled (payer, asset, time, position);

-- Shares that were put in the place of an attribution's.
create table billing.corrections (
    attribution text not null,
    shares      text not null,

    constraint corrections_attribution primary key (attribution)
);

create table billing.disputes (
    dispute    text not null,
    settlement text not null,

    constraint disputes_dispute primary key (dispute)
);

grant select, insert, update, delete on billing.answers, billing.settled, billing.corrections, billing.disputes to openledger_billing;
