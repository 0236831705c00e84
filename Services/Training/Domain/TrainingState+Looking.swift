public import Events

extension TrainingState {
    /// The newest version of a model that may be asked, or the version that is named.
    public func model(_ name: String, version: Int? = nil) -> ModelPublished? {
        guard let versions = models[name] else { return nil }
        if let version {
            guard version >= 1, version <= versions.count, !versions[version - 1].isRetired else { return nil }
            return versions[version - 1].terms
        }
        return versions.last { !$0.isRetired }?.terms
    }

    /// Whose a job's adapter is: who ordered it, or to whom it was handed over since.
    public func owner(of job: TrainingJob) -> String { heirs[job.request.job] ?? job.request.owner }

    /// A snapshot by its number.
    public func snapshot(_ datanet: String, _ number: Int) -> SnapshotPublished? {
        guard let list = snapshots[datanet], number >= 1, number <= list.count else { return nil }
        return list[number - 1]
    }

    /// Whether a principal may learn from a Datanet at a moment of log time.
    public func mayTrain(_ principal: String, on datanet: String, at logTime: Timestamp) -> Bool {
        if insiders[datanet]?.contains(principal) == true { return true }
        return (grants[datanet] ?? []).contains { grant in
            grant.grantee == principal && grant.purpose == "train" && grant.expires.map { $0 > logTime } ?? true
        }
    }
}
