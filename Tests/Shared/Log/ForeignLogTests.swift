import Crypto
import EventLog
import TestSupport
import Testing

/// A log that another implementation wrote: Tessera's published test data, fifteen entries with a checkpoint after each.
@Suite struct ForeignLogTests {
    static let key = "example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx"
    static let words = [
        "one", "two", "three", "four", "five", "six", "seven", "eit", "nain", "ten", "ileven", "twelf", "threeten", "fourten", "fivten",
    ]
    static let checkpoints: [(size: Int, root: String, signature: String)] = [
        (
            0, "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
            "M9e0lhxJACzE1KoUdqKuPa+9p6R7dSW8BlEvrg/noo8FkGg6PbJoRNOcdjqjOq89wVvTA60eubCc4oufo5BvIVEgtQc="
        ),
        (
            1, "0Nc2CrefWKseHj/mStd+LqC8B+NrX0btIiPt2SmN+ek=",
            "M9e0lhr9kuLxGdAtaUrhm84TQffVsLdcy808sN0a3WyniNlfcr9+bywoiIke1YYciCNjJGkCgIlQ8b16jhsmg/SChAM="
        ),
        (
            2, "T1X2GdkhUjV3iyufF9b0kVsWFxIU0VI4EpNml2Teci4=",
            "M9e0llH4NKmlf0u7C8tkJioQOmi7l5ELqljXgKRg6R3G5JJ7vx7emDWo5fpqKuA/Dk/jRrI6il+7QCVirNhyUAWGoAk="
        ),
        (
            3, "Wqx3HImawpLnS/Gv4ubjAvi1WIOy0b8Ze0amvqbavKk=",
            "M9e0lvAQRtH832pk2RTbeSeZMkp4FZSdJYFBUjO5SKxuRbywPUF3cx+HUrb50kjd3rUWW/fj53Wj1dwcwh9bGQnqVAg="
        ),
        (
            7, "IrSXADBqJ7EQoUODSDKROySgNveeL6CFhik2w/+fS7U=",
            "M9e0luA5JhTRUki/BBQD0QNiH6AEJ2pdtsA5CQjqJErViuuKrN6513RCTL2640wXJv0dCed3neRGI6dMzBq9uANf2Qc="
        ),
        (
            8, "bC+VwvrJbalNVjfkdI8kUgs7mJoXrqiXCE7bgnD28pY=",
            "M9e0lq1EK37dHtgv9O3UzPxisw5vwIPcJsX9ab0xt4mvVfbdUR1fbMjN6sBFYpBoBEmD4+cWhj/AVgI5MitCO5+mews="
        ),
        (
            15, "rKbDipCvhuX1GZ7g5BBe8sA6BbJ7ja/1nk427v383cs=",
            "M9e0luh4jTG+UMBqOUo9/q+yAEvx1ilBEniMvjf1zfcBOhg+CKubMt53MvIt/uEWP6zdkdIQzd/fmwlM/dlPWF74ewI="
        ),
    ]

    @Test func `it audits as sound with every one of its checkpoints kept, and not when a word is altered`() async throws {
        let folder = try TemporaryFolder("foreign")
        for kept in Self.checkpoints {
            let note = "example.com/log/testdata\n\(kept.size)\n\(kept.root)\n\n— example.com/log/testdata \(kept.signature)\n"
            try AuditFixture.put(Array(note.utf8), folder.path, kept.size == 15 ? "checkpoint" : "checkpoints/\(kept.size)")
        }
        let entries = Self.words.map { Array($0.utf8) }
        try AuditFixture.put(EntryBundle.encode(entries), folder.path, "tile/entries/000.p/15")
        try AuditFixture.put(entries.flatMap { Merkle.leaf($0).bytes }, folder.path, "tile/0/000.p/15")
        let trust = try LogTrust(keys: [try VerifierKey(vkey: Self.key)])
        let report = try await LogAudit(FolderLogSource(folder.path), trust: trust, entries: .anything).run()
        #expect(report.isGood && report.kept == [1, 2, 3, 7, 8] && report.progress.done == 15)
        // Its entries are no events of ours, which the ordinary audit says.
        #expect(try await LogAudit(FolderLogSource(folder.path), trust: trust).run().fault?.kind == .event)
        try AuditFixture.alter(folder.path, "tile/entries/000.p/15") { $0[3] ^= 1 }
        #expect(try await LogAudit(FolderLogSource(folder.path), trust: trust, entries: .anything).run().fault?.position == 0)
    }
}
