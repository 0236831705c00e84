import Crypto
import Foundation
import HTTP
import HTTPClient
import HTTPServer
import JSON
import RunnerService
import TestSupport
import Testing

@testable import openledger

@Suite struct ModelCommandTests {
    let folder: TemporaryFolder
    let shipped: String
    let written = Written()

    init() throws {
        folder = try TemporaryFolder("model")
        shipped = try #require(BaseModels.shipped())
    }

    @Test func `a folder is pulled, fits, and is the same model there`() async throws {
        #expect(await PullModel.run([shipped, folder.path("mine"), "--json"], written.console) == 0, "\(written.err)")
        let told = try JSON.parse(written.out)
        let artefact = try BaseModels.artefact(of: shipped).prefixed
        #expect(told["artefact"]?.stringValue == artefact && told["parameters"] == 2_410_176)
        #expect(await VerifyModel.run([folder.path("mine")], Written().console) == 0)
        // What is there is never written over.
        let again = Written()
        #expect(await PullModel.run([shipped, folder.path("mine")], again.console) == 2)
        #expect(again.err.contains("is there already"))
    }

    @Test func `the shipped model is that of its record, and a changed file is named`() async throws {
        #expect(await VerifyModel.run([], written.console) == 0, "\(written.err)")
        #expect(written.out.contains("All files are those of the record"))
        try FileManager.default.copyItem(atPath: shipped, toPath: folder.path("copy"))
        let weights = URL(fileURLWithPath: folder.path("copy/model.safetensors"))
        var bytes = try Data(contentsOf: weights)
        bytes[bytes.count - 1] ^= 1
        try bytes.write(to: weights)
        let altered = Written()
        #expect(await VerifyModel.run([folder.path("copy")], altered.console) == 1)
        #expect(altered.err.contains("model.safetensors"), "\(altered.err)")
        let nothing = Written()
        #expect(await VerifyModel.run([folder.path], nothing.console) == 2)
    }

    /// A server with the paths of a Hugging Face repository, which keeps its large files elsewhere.
    private func withRepository(
        _ files: @escaping @Sendable (String) -> [UInt8]?, _ body: (_ url: String) async throws -> Void
    ) async throws {
        let server = try Server(.ipv4("127.0.0.1", port: 0)) { request in
            let path = request.path
            if path == "/acme/tiny/resolve/v1/model.safetensors" {
                return Response(status: 302, headers: ["Location": "/blobs/model.safetensors"])
            }
            let name = path.split(separator: "/").last.map(String.init) ?? ""
            let isKnown = path.hasPrefix("/acme/tiny/resolve/v1/") || path.hasPrefix("/blobs/")
            guard isKnown, let bytes = files(name) else { return Response(status: 404) }
            return Response(body: .bytes(bytes))
        }
        do { try await body("http://127.0.0.1:\(server.port)/acme/tiny") } catch {
            await server.stop(grace: .zero)
            throw error
        }
        await server.stop(grace: .zero)
    }

    @Test func `a repository is pulled through its redirects, whole or not at all`() async throws {
        let shipped = shipped
        let read: @Sendable (String) -> [UInt8]? = { FileManager.default.contents(atPath: shipped + "/" + $0).map { [UInt8]($0) } }
        try await withRepository(read) { url in
            #expect(await PullModel.run([url, folder.path("a"), "--revision", "v1"], written.console) == 0, "\(written.err)")
            let (pulled, original) = (try BaseModels.artefact(of: folder.path("a")), try BaseModels.artefact(of: shipped))
            #expect(pulled == original)
            #expect(await PullModel.run([url + "/tree/v1", folder.path("b")], Written().console) == 0)
            let wrong = Written()
            #expect(await PullModel.run([url, folder.path("c")], wrong.console) == 2)
            #expect(wrong.err.contains("has no config.json"), "\(wrong.err)")
        }
        // Weights that are cut short are no model, and leave nothing behind.
        try await withRepository({ name in read(name).map { name == "model.safetensors" ? Array($0.prefix(1_000)) : $0 } }) { url in
            let cut = Written()
            #expect(await PullModel.run([url + "/tree/v1", folder.path("d")], cut.console) == 1)
            #expect(cut.err.contains("model.safetensors"), "\(cut.err)")
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() == ["a", "b"])
    }

    @Test(arguments: [
        (#"{"weight_map":{"a":"../x.safetensors"}}"#, false), (#"{"weight_map":{"a":"x.bin"}}"#, false),
        (#"{"weight_map":{"a":5}}"#, false),
        ("{}", false), (#"{"weight_map":{"a":"y.safetensors","b":"x.safetensors","c":"y.safetensors"}}"#, true),
    ])
    func `an index names shards beside it and nothing else`(text: String, isGood: Bool) throws {
        let path = try folder.write(text, to: "index.json")
        if isGood {
            #expect(try PullModel.shards(path) == ["x.safetensors", "y.safetensors"])
        } else {
            #expect(throws: (any Error).self) { try PullModel.shards(path) }
        }
    }

    @Test(arguments: [
        ("https://huggingface.co/a/b", "https://huggingface.co/a/b@main"), ("http://h:1/a/b/tree/v2/x", "http://h:1/a/b@v2/x"),
        ("https://h/a", nil), ("ftp://h/a/b", nil), ("https://h/a/b?c=d", nil), ("https://h/a/..", nil), ("https://u@h/a/b", nil),
    ])
    func `a repository's URL is read or refused`(text: String, name: String?) throws {
        let source = RepositoryModelSource(
            text, revision: nil, credential: nil, transport: InProcessTransport { _ in Response(status: 503) })
        #expect(source?.name == name)
    }

    @Test(arguments: [PullModel.specification, VerifyModel.specification, TrainBaseModel.specification])
    func `help fits a terminal`(specification: ArgumentSpecification) {
        #expect(specification.help.split(separator: "\n").allSatisfy { $0.count <= 140 }, "\(specification.help)")
    }

    @Test func `a verb that is not there is refused with those that are`() async {
        await #expect(throws: UsageError.self) { try await ModelCommand.run(["push"]) }
        await #expect(throws: UsageError.self) { try await ModelCommand.run([]) }
    }
}
