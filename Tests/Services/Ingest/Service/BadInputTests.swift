import Crypto
import EventLog
import Events
import Foundation
import HTTP
import Identity
import IngestDomain
import JSON
import PrivatePostgres
import ServiceTestSupport
import TestSupport
import Testing

/// What people send that is no good: each refused with its row and the reason, and the good rows of the same upload kept.
@Suite struct BadInputTests {
    private static func text(_ number: Int) -> String {
        "Report \(number) tells how harbour \(number) keeps its lights burning when the storm of the year comes over the water."
    }

    private static func row(_ number: Int, _ more: String = "") -> String { #"{"text":"\#(text(number))"\#(more)}"# }

    /// A contribution, its items, and of each refused one what is kept of it.
    private func bring(
        _ files: [(String, [UInt8])], kind: Manifest.Kind = .own, licence: String? = "CC-BY-4.0"
    ) async throws -> (items: [JSONValue], notes: [(file: String, row: Int64, reason: String)]) {
        let found = Box<(items: [JSONValue], notes: [(file: String, row: Int64, reason: String)])>(([], []))
        try await withIngest { ingest in
            try await ingest.createDatanet("dn_1", licences: ["CC-BY-4.0"])
            let alice = try IngestHouse.Person("alice")
            let done = try await ingest.contribute(alice, "dn_1", files, kind: kind, licence: licence)
            let items = try await ingest.items(done, alice)
            #expect(done["accepted"]?.intValue == Int64(items.count { $0["verdict"] == "accepted" }))
            found.value.items = items
            let id = try #require(done["contribution"]?.stringValue)
            for (number, item) in items.enumerated() where item["verdict"] == "rejected" {
                let note = try await ingest.call("GET", "/v1/contributions/\(id)/items/\(id).\(number + 1)/content", as: "alice").json
                found.value.notes.append(
                    (
                        note["origin"]?["file"]?.stringValue ?? "", note["origin"]?["row"]?.intValue ?? -1,
                        note["refused"]?["reason"]?.stringValue ?? ""
                    ))
            }
        }
        return found.value
    }

    private final class Box<Value>: @unchecked Sendable {
        // One test's closure writes it, and the test reads it once that is over.
        var value: Value
        init(_ value: Value) { self.value = value }
    }

    private static func reasons(_ items: [JSONValue]) -> [[String]] {
        items.map { $0["reasons"]?.arrayValue?.compactMap(\.stringValue) ?? [] }
    }

    @Test func truncatedAndBombedFilesAndWrongTypesCostNoOtherFile() async throws {
        let document = try await Fixture.docx("<w:p><w:r><w:t>\(Self.text(1))</w:t></w:r></w:p>")
        let bomb = try await Fixture.docx("<w:p><w:t>" + String(repeating: "a", count: 60 << 20) + "</w:t></w:p>")
        let png: [UInt8] =
            [0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10, 0, 0, 0, 13] + Array("IHDR".utf8) + [0, 0, 1, 0, 0, 0, 0, 128, 8, 2, 0, 0, 0]
        let (items, notes) = try await bring([
            ("good.jsonl", Array((Self.row(0) + "\n").utf8)), ("cut.docx", Array(document.prefix(document.count / 2))), ("bomb.docx", bomb),
            ("image.pdf", png), ("text.pdf", Array(Self.text(3).utf8)), ("picture.png", png), ("whole.docx", document),
            ("rows.docx", Array(Self.row(5).utf8)), ("last.jsonl", Array(Self.row(6).utf8)),
        ])
        #expect(
            Self.reasons(items) == [
                [], ["row.malformed"], ["row.malformed"], ["row.malformed"], ["row.malformed"], ["media.wrong"], [], ["row.malformed"], [],
            ])
        #expect(notes.map(\.file) == ["cut.docx", "bomb.docx", "image.pdf", "text.pdf", "picture.png", "rows.docx"])
        #expect(notes.allSatisfy { $0.row == 0 && $0.reason.contains($0.file) }, "\(notes)")
        #expect(notes[1].reason.contains("exceeds"))
    }

    @Test func badRowsOfAFileAreNamedAndTheOthersKept() async throws {
        var lines = Array((Self.row(1) + "\n").utf8)
        lines += Array("{\"text\":\"".utf8) + [UInt8](repeating: 0x78, count: 2 << 20) + Array("\"}\n".utf8)  // far too long
        lines += Array("{\"text\":\"caf".utf8) + [0xe9] + Array(" \(Self.text(2))\"}\n".utf8)  // Latin-1
        lines += Array((Self.row(3) + "\n").utf8)
        lines += Array("{\"text\":\"Ã©tÃ© Ã©tÃ© \(Self.text(4))\"}\n".utf8)  // UTF-8 that was read as Latin-1
        lines += Array("{\"text\":\"\u{fffd} \(Self.text(5))\"}\n".utf8)
        lines += [0xff, 0xfe] + Array("{".utf8).flatMap { [$0, 0] } + [0x0a]  // UTF-16
        lines += Array((Self.row(6, #","licence":"CC-BY-NC-4.0""#) + "\n" + Self.row(7, #","licence":"my own""#) + "\n").utf8)
        lines += Array((Self.row(8) + "\n").utf8)
        let (items, notes) = try await bring([("rows.jsonl", lines)])
        #expect(
            Self.reasons(items) == [
                [], ["size.too-large"], ["encoding.invalid"], [], ["encoding.mixed"], ["encoding.mixed"], ["encoding.invalid"],
                ["licence.conflict"], ["licence.unknown"], [],
            ])
        #expect(notes.map(\.row) == [2, 3, 5, 6, 7, 8, 9])
        #expect(notes[0].reason.contains("bytes") && notes[1].reason.contains("UTF-8"))
    }

    @Test func tablesKeepTheirGoodRows() async throws {
        let table = """
            text,licence
            "\(Self.text(1)), ""quoted""
            over two lines",CC-BY-4.0
            stray"quote,CC-BY-4.0
            \(Self.text(2)),CC-BY-4.0,too,many
            \(Self.text(3)),CC-BY-4.0
            "\(Self.text(4))"behind,CC-BY-4.0
            \(Self.text(5)),CC-BY-4.0
            "\(Self.text(6)) never ends,CC-BY-4.0
            """
        let (items, notes) = try await bring([("table.csv", Array(table.utf8))])
        #expect(
            Self.reasons(items) == [[], ["row.malformed"], ["row.malformed"], [], ["row.malformed"], [], ["row.malformed"]])
        #expect(notes.map(\.row) == [2, 3, 5, 7])
        #expect(notes.allSatisfy { !$0.reason.isEmpty })
    }

    @Test func whoWasPutOutContributesNoMore() async throws {
        try await withIngest { ingest in
            try await ingest.createDatanet("dn_1", access: "invitation")
            let bob = try IngestHouse.Person("bob")
            let file = [("a.jsonl", Array(Self.row(1).utf8))]
            try await ingest.put(MemberGranted(datanet: "dn_1", principal: "bob", role: "contributor"), "datanet/dn_1")
            let begun = try await ingest.begin(bob, try ingest.manifest(bob, "dn_1", file))
            #expect(begun.status == 201)
            try await ingest.put(MemberRevoked(datanet: "dn_1", principal: "bob", role: "contributor"), "datanet/dn_1")
            // What had begun ends with the reason, and nothing new begins.
            let id = try #require(begun.json["contribution"]?.stringValue)
            _ = try await ingest.call(
                "PATCH", "/v1/contributions/\(id)/files/0", as: "bob", bytes: file[0].1, headers: [("Upload-Offset", "0")])
            _ = try await ingest.call("POST", "/v1/contributions/\(id)/finish", as: "bob", key: "f")
            let failed = try await ingest.settled(id, bob)
            #expect(failed["state"] == "failed" && failed["problem"]?.stringValue?.contains("has no role there") == true)
            #expect(try await ingest.begin(bob, try ingest.manifest(bob, "dn_1", file)).status == 403)
        }
    }

    @Test func manifestsHaveToBeSigned() async throws {
        try await withIngest { ingest in
            try await ingest.createDatanet("dn_1")
            let alice = try IngestHouse.Person("alice")
            let manifest = try ingest.manifest(alice, "dn_1", [("a.jsonl", Array(Self.row(1).utf8))])
            for signature: JSONValue in [.null, "", "AAAA", .string(Base64URL.encode([UInt8](repeating: 0, count: 64))), 7] {
                let answer = try await ingest.call(
                    "POST", "/v1/contributions", as: "alice", json: ["manifest": manifest.json, "signature": signature], key: "\(signature)"
                )
                #expect(answer.status == 400, "\(signature)")
            }
            let unsigned = try await ingest.call("POST", "/v1/contributions", as: "alice", json: ["manifest": manifest.json], key: "none")
            #expect(unsigned.status == 400)
            // Signed by another key than the one that it names.
            let other = try SignedManifest(manifest, key: try Ed25519PrivateKey.generate())
            let body: JSONValue = ["manifest": manifest.json, "signature": .string(Base64URL.encode(other.signature))]
            #expect(try await ingest.call("POST", "/v1/contributions", as: "alice", json: body, key: "other").status == 400)
        }
    }
}
