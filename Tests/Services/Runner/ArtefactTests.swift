import ServiceShell
import Crypto
import JSON
import Testing

@testable import RunnerService

@Suite struct ArtefactTests {
    @Test func aManifestIsCanonicalAndDoesNotDependOnTheOrderOfItsFiles() throws {
        let (one, two) = (Array("one".utf8), Array("two!".utf8))
        let artefact = try Artefact(files: [("b.bin", two), ("a.json", one)])
        let text =
            "{\"files\":[{\"bytes\":3,\"path\":\"a.json\",\"sha256\":\"\(SHA256.hash(one).prefixed)\"},"
            + "{\"bytes\":4,\"path\":\"b.bin\",\"sha256\":\"\(SHA256.hash(two).prefixed)\"}]}"
        #expect(String(decoding: artefact.manifest, as: UTF8.self) == text)
        #expect(artefact.digest == SHA256.hash(utf8: text))
        #expect(try Artefact(files: [("a.json", one), ("b.bin", two)]).digest == artefact.digest)
        #expect(try Artefact(files: [("a.json", one), ("c.bin", two)]).digest != artefact.digest)
        let entries = try ArtefactFetch.entries(artefact.manifest)
        #expect(entries.map(\.path) == ["a.json", "b.bin"] && entries.map(\.digest) == artefact.files.map(\.digest))
    }

    @Test(arguments: ["../a", "a/b", "/etc/passwd", "..", ".", ""])
    func aManifestThatNamesAPlaceElsewhereIsRefused(_ path: String) throws {
        let digest = SHA256.hash(utf8: "x").prefixed
        let manifest = JSON.write(["files": [["bytes": 1, "path": .string(path), "sha256": .string(digest)]]])
        #expect(throws: (any Error).self) { try ArtefactFetch.entries(manifest) }
    }

    @Test(arguments: ["", "[]", "{}", #"{"files":[]}"#, #"{"files":[{"path":"a"}]}"#, #"{"files":[{"path":"a","sha256":"sha256:1"}]}"#])
    func whatIsNoManifestIsRefused(_ text: String) {
        #expect(throws: (any Error).self) { try ArtefactFetch.entries(Array(text.utf8)) }
    }
}
