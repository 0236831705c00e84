internal import Crypto

/// What goes wrong in a runner.
enum RunnerError: Error, CustomStringConvertible {
    case unknownBase(String)
    case otherBase(String, here: Digest, wanted: Digest)
    case noRows
    case tooLarge(needed: Int, limit: Int)
    case tooManyRows(needed: Int, limit: Int)
    case largeFactors(needed: Int, limit: Int)
    case longRow(snapshot: Int, limit: Int)
    case lost
    case halted

    var description: String {
        switch self {
        case .unknownBase(let name): "this runner has no base model \(name)"
        case .otherBase(let name, let here, let wanted): "the base model \(name) is \(here) here, the job is on \(wanted)"
        case .noRows: "the snapshots have no row to learn from"
        case .tooLarge(let needed, let limit):
            "the job would take \(needed >> 20) MiB of memory, and may take \(limit >> 20): fewer or shorter rows, a lower rank or fewer targets"
        case .tooManyRows(let needed, let limit):
            "the job would make \(needed >> 20) MiB of attribution rows, and may make \(limit >> 20): fewer targets, a lower rank or fewer rows"
        case .largeFactors(let needed, let limit):
            "what measures influence would take \(needed >> 20) MiB, and may take \(limit >> 20): fewer targets or a smaller base"
        case .longRow(let snapshot, let limit): "a row of snapshot \(snapshot) has more than \(limit >> 20) MiB"
        case .lost: "the job was cancelled, or given to another runner"
        case .halted: "the job was halted"
        }
    }
}
