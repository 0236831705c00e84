-- Which settlements one release was of: a statement says which answers a credit pays for.

create index milestones_releases on billing.milestones (position) where type = 'settlement.released';
