-- Where on the log stands what a receipt leads through: events by their type and by what they are about.

create table billing.milestones (
    type     text   not null,
    subject  text   not null,  -- the settlement, answer, model, snapshot, contribution … that the event is about
    position bigint not null,

    constraint milestones_place primary key (type, subject, position)
);

grant select, insert, update, delete on billing.milestones to openledger_billing;
