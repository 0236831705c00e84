import Crypto
import EventLog
import TestSupport
import Testing

@Suite struct NoteTests {
    static let origin = "log.example/test"
    static func signer(_ seed: UInt8 = 1, name: String = origin, type: NoteSignatureType = .ed25519) throws -> NoteSigner {
        try #require(NoteSigner(name: name, type: type, key: try Ed25519PrivateKey(seed: Array(repeating: seed, count: 32))))
    }

    /// The example of C2SP's signed-note.
    static let publishedKey = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
    static let publishedNote = """
        This is an example message.

        — example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=

        """
    /// The examples of C2SP's signed-note and tlog-cosignature, whose keys are not published.
    static let publishedPoem = """
        Ognuno sta solo sul cuor della terra
        trafitto da un raggio di sole:

        ed è subito sera.

        — quasimodo.example/salvatore NnugSzTjtVAewIS+Z/iJhUPeFDkO/5QQ2i5ddnGITLlC+EhfLW9oJKONrMouFSQU0xMcXxj99ihAQwaqP3ZekRwNtIc=

        """
    static let publishedCosigned = """
        example.com/behind-the-sofa
        20852163
        CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

        — example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
        — witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==

        """

    @Test func `the published note verifies by the published key, and no altered one does`() throws {
        let key = try VerifierKey(vkey: Self.publishedKey)
        let note = try SignedNote(parsing: Self.publishedNote)
        #expect(note.text == "This is an example message.\n")
        #expect(note.encoded == Self.publishedNote)
        try note.verify(by: key)
        #expect(throws: NoteError.badSignature(key: "example.com/foo")) {
            try SignedNote(parsing: Self.publishedNote.replacing("message", with: "Message")).verify(by: key)
        }
    }

    @Test func `a note's text may have empty lines; the last one ends it`() throws {
        let note = try SignedNote(parsing: Self.publishedPoem)
        #expect(note.text.hasSuffix("\n\ned è subito sera.\n"))
        #expect(note.signatures.map(\.name) == ["quasimodo.example/salvatore"])
        #expect(note.encoded == Self.publishedPoem)
    }

    @Test func `the published cosigned checkpoint is read as the specification reads it`() throws {
        let signed = try SignedCheckpoint(unverified: Self.publishedCosigned)
        #expect(signed.checkpoint.origin == "example.com/behind-the-sofa")
        #expect(signed.checkpoint.size == 20_852_163)
        // "time 1679315147" in the specification's example of the signed message.
        #expect(signed.note.signatures[1].time == 1_679_315_147)
        #expect(signed.note.encoded == Self.publishedCosigned)
    }

    @Test func `signatures of unknown names and kinds are kept and ignored`() throws {
        let key = try VerifierKey(vkey: Self.publishedKey)
        let names = ["example.org/ünïcode", "\u{301}mark", String(repeating: "n", count: 300)]
        let lines = names.map { "— \($0) \(Base64.encode([1, 2, 3, 4] + [UInt8](repeating: 9, count: 5_000)))\n" }
        // Sixteen signatures of post-quantum size must be taken.
        let note = try SignedNote(parsing: Self.publishedNote + lines.joined() + String(repeating: lines[0], count: 13))
        #expect(note.signatures.count == 17)
        try note.verify(by: key)
        for bad in ["two words", "a+b", "no\u{A0}break", ""] {
            #expect(throws: NoteError.self) { try SignedNote(parsing: Self.publishedNote + "— \(bad) AAAAAAAA\n") }
        }
    }

    @Test func `the published form of a proof file is read`() throws {
        let proof = """
            c2sp.org/tlog-proof@v1
            extra AQID
            index 73894
            gSKyXoYZUgZ6jduWYrkDOARinOMGJveXjgMkBTcdPlQ=
            B95lDa8R83lS8n0eG+o0buTxRKQTYFi//1U8anccXmA=

            """ + "\n" + Self.publishedCosigned
        let read = try TlogProof(parsing: proof)
        #expect(read.extra == [1, 2, 3] && read.index == 73_894 && read.hashes.count == 2 && read.checkpoint == Self.publishedCosigned)
        #expect(read.encoded == proof)
        for (from, to) in [
            ("@v1", "@v2"), ("index 73894", "index 073894"), ("index", "Index"), ("extra AQID", "extra AQI"),
            ("extra AQID\n", "extra AQID\nextra AQID\n"), ("7plQ=", "7plQ"), ("PlQ=", "Pl="),
        ] where proof.contains(from) {
            #expect(throws: NoteError.self, "\(to)") { try TlogProof(parsing: proof.replacing(from, with: to)) }
        }
    }

    @Test func `the published request to a witness is read`() throws {
        let body = """
            old 20852014
            PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=
            jrJZDmY8Y7SyJE0MWLpLozkIVMSMZcD5kvuKxPC3swk=
            5+pKlUdi2LeF/BcMHBn+Ku6yhPGNCswZZD1X/6QgPd8=
            /6WVhPs2CwSsb5rYBH5cjHV/wSmA79abXAwhXw3Kj/0=

            """ + "\n" + Self.publishedCosigned
        let request = try AddCheckpointRequest(parsing: body)
        #expect(request.oldSize == 20_852_014 && request.proof.count == 4)
        #expect(request.encoded == body)
    }

    @Test func `the published verifier key is read and written back`() throws {
        let key = try VerifierKey(vkey: Self.publishedKey)
        #expect(key.name == "example.com/foo")
        #expect(Hex.encode(key.id) == "530d903a")
        #expect(key.description == Self.publishedKey)
        #expect(throws: NoteError.self) { try VerifierKey(vkey: Self.publishedKey.replacing("foo", with: "fop")) }
    }

    @Test func `a note survives the way to text and back, and says who signed`() throws {
        let signer = try Self.signer()
        let note = SignedNote(text: "one\n\ntwo\n", signatures: [try signer.sign("one\n\ntwo\n")])
        let read = try SignedNote(parsing: note.encoded)
        #expect(read == note)
        try read.verify(by: signer.verifier)
        #expect(throws: NoteError.unsigned(key: Self.origin)) { try read.verify(by: try Self.signer(2).verifier) }
        let altered = try SignedNote(parsing: note.encoded.replacing("two", with: "tow"))
        #expect(throws: NoteError.badSignature(key: Self.origin)) { try altered.verify(by: signer.verifier) }
    }

    @Test(arguments: [
        "", "\n", "text", "text\n", "text\n\n", "text\n\n— name\n", "text\n\n- name AAAAAAAA\n", "te\u{1}xt\n\n— n AAAAAAAA\n",
        "text\n\n— n AAAAAAAA",
    ])
    func `what is no note is refused`(text: String) {
        #expect(throws: NoteError.self) { try SignedNote(parsing: text) }
    }

    @Test func `a checkpoint is signed and read back`() throws {
        let signer = try Self.signer()
        let checkpoint = Checkpoint(origin: Self.origin, size: 42, root: Merkle.leaf([1]))
        let signed = try SignedCheckpoint(signing: checkpoint, by: [signer])
        let read = try SignedCheckpoint(parsing: signed.note.encoded, keys: [signer.verifier])
        #expect(read.checkpoint == checkpoint)
        #expect(throws: NoteError.self) { try SignedCheckpoint(parsing: signed.note.encoded, keys: [try Self.signer(2).verifier]) }
        #expect(throws: NoteError.self) {
            try SignedCheckpoint(parsing: signed.note.encoded.replacing("42", with: "43"), keys: [signer.verifier])
        }
        let foreign = try SignedCheckpoint(signing: Checkpoint(origin: "other/log", size: 1, root: .zero), by: [signer])
        #expect(throws: NoteError.foreignOrigin(expected: Self.origin, found: "other/log")) {
            try SignedCheckpoint(parsing: foreign.note.encoded, keys: [signer.verifier])
        }
    }

    @Test(arguments: [
        "a\n1\n", "a\n01\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n", "a\n-1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
        "a\n1\nAAAA\n", "\n1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
    ])
    func `what is no checkpoint is refused`(text: String) {
        #expect(throws: NoteError.self) { try Checkpoint(text: text) }
    }

    @Test func `after a rotation either key's holder can verify`() throws {
        let (old, new) = (try Self.signer(1), try Self.signer(2))
        let signed = try SignedCheckpoint(signing: Checkpoint(origin: Self.origin, size: 1, root: .zero), by: [new, old])
        for key in [old, new] { _ = try SignedCheckpoint(parsing: signed.note.encoded, keys: [key.verifier]) }
    }

    @Test func `a cosignature holds over its time and text only`() throws {
        let log = try Self.signer()
        let witness = try Self.signer(9, name: "witness.example/w", type: .cosignature)
        var signed = try SignedCheckpoint(signing: Checkpoint(origin: Self.origin, size: 7, root: .zero), by: [log])
        let line = try witness.sign(signed.note.text, time: 1_795_000_000)
        #expect(line.time == 1_795_000_000)
        signed.add(line)
        signed.add(line)
        #expect(signed.note.signatures.count == 2)
        let read = try SignedNote(parsing: signed.note.encoded)
        try read.verify(by: witness.verifier)
        try read.verify(by: log.verifier)
        #expect(throws: NoteError.self) {
            try SignedNote(text: read.text + "x\n", signatures: read.signatures).verify(by: witness.verifier)
        }
    }

    @Test func `a proof file verifies with nothing but the log's key`() async throws {
        let signer = try Self.signer()
        let events = (0..<300).map { Array("event \($0)".utf8) }
        let leaves = events.map { Merkle.leaf($0) }
        var tree = TileTree(source: MemoryTiles(leaves), size: 300)
        let checkpoint = Checkpoint(origin: Self.origin, size: 300, root: try await tree.root())
        let note = try SignedCheckpoint(signing: checkpoint, by: [signer]).note.encoded
        let proof = TlogProof(extra: events[123], index: 123, hashes: try await tree.inclusionProof(of: 123).hashes, checkpoint: note)
        let read = try TlogProof(parsing: proof.encoded)
        #expect(read == proof)
        #expect(try read.verify(keys: [signer.verifier]).checkpoint == checkpoint)
        #expect(throws: ProofError.self) { try read.verify(entry: events[124], keys: [signer.verifier]) }
        #expect(throws: NoteError.self) { try read.verify(keys: [try Self.signer(3).verifier]) }
        #expect(throws: NoteError.self) { try TlogProof(parsing: proof.encoded.replacing("index 123", with: "index 0123")) }
        #expect(throws: NoteError.self) { try TlogProof(parsing: "x" + proof.encoded) }
        let bare = TlogProof(extra: nil, index: 123, hashes: proof.hashes, checkpoint: note)
        #expect(throws: NoteError.self) { try bare.verify(keys: [signer.verifier]) }
        _ = try TlogProof(parsing: bare.encoded).verify(entry: events[123], keys: [signer.verifier])
    }

    @Test func `a witness follows one history and refuses another`() async throws {
        let signer = try Self.signer()
        let leaves = MerkleTests.leaves(600)
        let tiles = MemoryTiles(leaves)
        var state = WitnessState()
        func request(_ old: UInt64, _ size: UInt64, of leaves: [Digest], _ tiles: MemoryTiles) async throws -> AddCheckpointRequest {
            var tree = TileTree(source: tiles, size: size)
            let checkpoint = Checkpoint(origin: Self.origin, size: size, root: try await tree.root())
            let proof = try await tree.consistencyProof(from: min(old, size))
            let text = AddCheckpointRequest(
                oldSize: old, proof: proof.hashes, checkpoint: try SignedCheckpoint(signing: checkpoint, by: [signer]).note.encoded
            ).encoded
            return try AddCheckpointRequest(parsing: text)
        }
        _ = try state.accept(try await request(0, 300, of: leaves, tiles), log: [signer.verifier])
        #expect(state.size == 300)
        _ = try state.accept(try await request(300, 600, of: leaves, tiles), log: [signer.verifier])
        // The same size again with another root is no conflict of sizes but a bad proof: 422, not 409.
        let otherLeaves = Array(leaves.prefix(599)) + [Merkle.leaf([8])]
        let other600 = try await request(600, 600, of: otherLeaves, MemoryTiles(otherLeaves))
        #expect { try state.accept(other600, log: [signer.verifier]) } throws: { error in
            if case WitnessState.Refusal.badProof = error { true } else { false }
        }
        let stale = try await request(300, 600, of: leaves, tiles)
        #expect(throws: WitnessState.Refusal.stale(size: 600)) { try state.accept(stale, log: [signer.verifier]) }
        let forked = Array(leaves.prefix(599)) + [Merkle.leaf([9])] + MerkleTests.leaves(10, seed: 3)
        let fork = try await request(600, 610, of: forked, MemoryTiles(forked))
        #expect { try state.accept(fork, log: [signer.verifier]) } throws: { error in
            if case WitnessState.Refusal.badProof = error { true } else { false }
        }
        #expect(state.size == 600)
        let other = try Self.signer(4)
        #expect(throws: WitnessState.Refusal.badSignature) { try state.accept(fork, log: [other.verifier]) }
        let elsewhere = try Self.signer(4, name: "else.example/log")
        #expect(throws: WitnessState.Refusal.unknownOrigin) { try state.accept(fork, log: [elsewhere.verifier]) }
    }
}
