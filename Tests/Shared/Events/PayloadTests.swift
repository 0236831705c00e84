import Crypto
import Events
import JSON
import Money
import Testing

@Suite struct PayloadTests {
    private let digest = SHA256.hash(utf8: "content")

    @Test func aTypedEventReadsWhatItWrote() throws {
        let share = AttributionShare(owner: "ann", datanet: "dn_1", share: 1_000_000_000)
        let computed = AttributionComputed(
            attribution: "at_1", inference: "in_1", model: "acme/defi", version: 1, rules: "attribution/1",
            methods: [MethodResult(method: "spans", weight: 1_000_000_000, confidence: 900_000_000)], fallback: false,
            shares: .entries([share]), evidence: digest)
        #expect(try AttributionComputed(computed.json.object()) == computed)
        let job = JobRequested(
            job: "j", owner: "ann", base: "tiny",
            snapshots: [SnapshotReference(datanet: "dn_1", snapshot: "sn_1", number: 1, root: digest)],
            settings: digest, fee: Amount(5, try Asset("USDC/6")))
        #expect(try JobRequested(job.json.object()) == job)
        // What is nil is not written.
        #expect(job.json["hold"] == nil)
        var again = job
        (again.replaces, again.without) = ("j", digest)
        #expect(try JobRequested(again.json.object()) == again && again != job)
        let halted = JobPaused(job: "j")
        #expect(String(decoding: try JSON.canonical(halted.json), as: UTF8.self) == #"{"job":"j"}"#)
        #expect(try JobPaused(halted.json.object()) == halted && JobResumed(halted.json.object()) == JobResumed(job: "j"))
    }

    @Test func runnersAndHandOversReadAsTheyAreWritten() throws {
        func text(_ data: some EventData) throws -> String { String(decoding: try JSON.canonical(data.json), as: UTF8.self) }
        let joined = RunnerRegistered(runner: "rita", engine: "e/1", bases: ["tiny"], features: ["int8"])
        #expect(try text(joined) == #"{"bases":["tiny"],"engine":"e/1","features":["int8"],"runner":"rita"}"#)
        #expect(try RunnerRegistered(joined.json.object()) == joined)
        let delivered = JobDelivered(job: "j", runner: "rita", adapter: digest, tokens: 3, record: digest)
        #expect(
            try text(delivered)
                == #"{"adapter":"\#(digest.prefixed)","job":"j","record":"\#(digest.prefixed)","runner":"rita","tokens":3}"#)
        #expect(try JobDelivered(delivered.json.object()) == delivered)
        let checked = JobChecked(
            job: "j", runner: "rita", checker: "runner", method: "measure", adapter: digest, bound: 10, base: 12, measured: 11,
            rowsAgree: false, reason: "rows", agrees: false)
        #expect(
            try text(checked)
                == #"{"adapter":"\#(digest.prefixed)","agrees":false,"base":12,"bound":10,"checker":"runner","job":"j","measured":11,"method":"measure","reason":"rows","rows_agree":false,"runner":"rita"}"#
        )
        #expect(try JobChecked(checked.json.object()) == checked)
        let released = JobReleased(job: "j", runner: "rita", attempt: 2, reason: "no memory")
        #expect(try text(released) == #"{"attempt":2,"job":"j","reason":"no memory","runner":"rita"}"#)
        #expect(try JobReleased(released.json.object()) == released)
        let handed = ModelHandedOver(model: "a/b", from: "ann", to: "bob", version: 2)
        #expect(try text(handed) == #"{"from":"ann","model":"a/b","to":"bob","version":2}"#)
        #expect(try ModelHandedOver(handed.json.object()) == handed)
    }

    @Test func aWholeContributorsWithdrawalReadsAsItIsWritten() throws {
        let one = ContributorWithdrawn(contributor: "ann", datanet: "dn_1")
        #expect(String(decoding: try JSON.canonical(one.json), as: UTF8.self) == #"{"contributor":"ann","datanet":"dn_1"}"#)
        #expect(try ContributorWithdrawn(one.json.object()) == one)
        let all = ContributorWithdrawn(contributor: "ann")
        #expect(String(decoding: try JSON.canonical(all.json), as: UTF8.self) == #"{"contributor":"ann"}"#)
        #expect(try ContributorWithdrawn(all.json.object()) == all)
        let author = ContributorWithdrawn(contributor: "author_1", contributions: ["ct_1", "ct_2"])
        #expect(
            String(decoding: try JSON.canonical(author.json), as: UTF8.self)
                == #"{"contributions":["ct_1","ct_2"],"contributor":"author_1"}"#)
        #expect(try ContributorWithdrawn(author.json.object()) == author)
        let part = ContributionWithdrawn(contribution: "ct_1", contributor: "ann", items: ["ct_1.1"], author: "author_1")
        #expect(
            String(decoding: try JSON.canonical(part.json), as: UTF8.self)
                == #"{"author":"author_1","contribution":"ct_1","contributor":"ann","items":["ct_1.1"]}"#)
        #expect(try ContributionWithdrawn(part.json.object()) == part)
    }

    @Test func whatIsNotKnownIsRefusedByName() throws {
        let json = try JSON.parse(#"{"datanet":"d","principal":"p","role":"owner","colour":"red"}"#)
        #expect(throws: JSONFieldError.self) { try MemberGranted(json.object()) }
        let short = try JSON.parse(#"{"datanet":"d","principal":"p"}"#)
        #expect(throws: JSONFieldError(pointer: "/role", reason: "is missing")) { try MemberGranted(short.object()) }
    }

    @Test(arguments: [0, 1, 200, 201, 1_000, 40_000]) func longListsGoToTheEvidenceStore(_ count: Int) throws {
        let shares = (0..<count).map { AttributionShare(owner: "o\($0)", datanet: "d", share: $0) }
        let (list, evidence) = try EvidenceList.of(shares)
        #expect(list.count == count && (evidence == nil) == (count <= 200))
        #expect(try EvidenceList<AttributionShare>(list.json.object()) == list)
        if let evidence {
            #expect(list == .evidence(SHA256.hash(evidence), count: count))
            #expect(try EvidenceList<AttributionShare>.decode(evidence) == shares)
        }
    }
}
