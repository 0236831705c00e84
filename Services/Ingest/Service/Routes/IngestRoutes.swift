internal import Blobs
internal import Decisions
internal import Events
internal import HTTP
internal import Identity
public import IngestDomain
internal import JSON
internal import ServiceShell
public import Web

/// The REST interface of contributions and contributors.
struct IngestRoutes: Sendable {
    let core: IngestCore

    var all: [Route] { uploadRoutes + readingRoutes + contentRoutes + verdictRoutes + consentRoutes + authorRoutes + exportRoutes }

    static let problems: [ProblemType] = DecisionError.problemTypes + IngestRefusal.problemTypes

    static let id: Schema = .text(1...200)

    /// Whoever brings contributions, changes them, takes them back or says whose they are needs this: a key for answers alone does none of it.
    static let changing = Access.scope("contributions:write")

    static let contribution: Schema = .named(
        "Contribution",
        .openObject(
            .required("contribution", id), .required("datanet", id), .required("contributor", id),
            .required("state", .oneOf("uploading", "queued", "done", "failed"), "done: it is on the log, with its verdicts."),
            .optional("rows_read", .count, "Rows that screening has seen so far."), .optional("problem", .text, "Why it failed."),
            .optional("accepted", .count), .optional("rejected", .count)))

    // MARK: Who may see what

    /// Whether a caller may see a contribution of somebody.
    func maySee(_ caller: Caller, contributor: String) -> Bool {
        caller.subject == contributor || (caller.kind == .service && caller.has("contributions:read"))
    }

    /// A contribution on the log that the caller may see. To others it is not there.
    func settled(_ context: RequestContext) async throws -> ContributionState? {
        let id = context.path["contribution"]
        let caller = try context.caller
        guard let found = try await core.maker.find({ $0.contributions[id] }) else { return nil }
        guard maySee(caller, contributor: found.submitted.contributor) else { throw IngestRefusal.noContribution(id) }
        return found
    }

    /// A draft of the caller.
    func draft(_ context: RequestContext) async throws -> Draft {
        let id = context.path["contribution"]
        let caller = try context.caller
        if let draft = try await core.drafts.draft(id), maySee(caller, contributor: draft.contributor) { return draft }
        // What is on the log is no draft any more.
        if try await settled(context) != nil { throw Self.ended(Draft.State.done.rawValue) }
        throw IngestRefusal.noContribution(id)
    }
}

extension IngestRefusal: ProblemConvertible {
    static let problemTypes: [ProblemType] = [
        .notFound, .forbidden, .conflict, ProblemType("not-taken", 403, "The Datanet does not take it"),
        ProblemType("bad-supersedes", 422, "The corrected contribution does not fit"), ProblemType("erased", 410, "The content was erased"),
        .unprocessable, ProblemType("datanet-full", 409, "The Datanet is full"),
    ]

    /// The answer it becomes.
    public var problem: Problem {
        switch self {
        case .noDatanet, .noContribution, .noItem, .noAuthor, .noClaim: Problem(.notFound, description)
        case .notTaken: Problem(Self.problemTypes[3], description)
        case .notYours, .notTheirs, .notTheirKey: Problem(.forbidden, description)
        case .claimed, .moved: Problem(.conflict, description)
        case .badSupersedes: Problem(Self.problemTypes[4], description)
        case .badItems, .otherDatanet: Problem(.unprocessable, description)
        case .erased: Problem(Self.problemTypes[5], description)
        case .full: Problem(Self.problemTypes[7], description)
        }
    }
}
