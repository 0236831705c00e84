internal import Crypto

/// What goes wrong in a runner.
enum RunnerError: Error, CustomStringConvertible {
    case unknownBase(String)
    case otherBase(String, here: Digest, wanted: Digest)
    case noRows
    case lost
    case halted

    var description: String {
        switch self {
        case .unknownBase(let name): "this runner has no base model \(name)"
        case .otherBase(let name, let here, let wanted): "the base model \(name) is \(here) here, the job is on \(wanted)"
        case .noRows: "the snapshots have no row to learn from"
        case .lost: "the job was cancelled, or given to another runner"
        case .halted: "the job was halted"
        }
    }
}
