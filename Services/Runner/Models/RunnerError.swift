internal import Crypto

/// What goes wrong in a runner.
enum RunnerError: Error, CustomStringConvertible {
    case unknownBase(String)
    case otherBase(String, here: Digest, wanted: Digest)
    case noRows
    case tooLarge(needed: Int, limit: Int)
    case lost
    case halted

    var description: String {
        switch self {
        case .unknownBase(let name): "this runner has no base model \(name)"
        case .otherBase(let name, let here, let wanted): "the base model \(name) is \(here) here, the job is on \(wanted)"
        case .noRows: "the snapshots have no row to learn from"
        case .tooLarge(let needed, let limit):
            "the job would take \(needed >> 20) MiB of memory, and may take \(limit >> 20): fewer or shorter rows, a lower rank or fewer targets"
        case .lost: "the job was cancelled, or given to another runner"
        case .halted: "the job was halted"
        }
    }
}
