internal import Money
internal import ServiceShell
public import TrainingDomain
public import Web

/// What training's refusals are on the wire.
enum TrainingProblems {
    static let wrongState = ProblemType("wrong-state", 409, "That can't be done at this stage")
    static let invalid = ProblemType("invalid-value", 422, "A value is out of its bounds")
    static let wrongHash = ProblemType("wrong-hash", 422, "The content has another hash")
    static let noManifest = ProblemType("no-manifest", 422, "That is not the manifest of an artefact")
    static let upstream = ProblemType("upstream", 502, "Another service did not do its part")
    static let all = [ProblemType.notFound, .forbidden, wrongState, invalid, noManifest, upstream]
}

extension TrainingError: ProblemConvertible {
    /// The answer it becomes.
    public var problem: Problem {
        switch self {
        case .notFound: Problem(.notFound, description)
        case .forbidden: Problem(.forbidden, description)
        case .wrongState: Problem(TrainingProblems.wrongState, description)
        case .invalid(let field, _): Problem(TrainingProblems.invalid, description, field: "#" + field)
        }
    }
}

extension ArtefactError: ProblemConvertible {
    var problem: Problem {
        switch self {
        case .wrongHash(let expected, let actual):
            Problem(TrainingProblems.wrongHash, "the bytes hash to \(actual), the path says \(expected): send them again")
        case .noManifest(let digest, let reason):
            Problem(TrainingProblems.noManifest, "\(digest) is not the manifest of an artefact: \(reason)")
        case .foreign(let digest, let principal):
            Problem(.forbidden, "\(digest) was not uploaded by \(principal): a runner hands in what it made itself")
        case .missing(let digest): Problem(.notFound, "\(digest) has not been uploaded")
        }
    }
}
