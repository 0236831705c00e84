import Crypto
import Events
import Foundation
import HTTP
import JSON
import Synchronization
import Web

/// A mock of vLLM as a server of adapters that are loaded at run time (`VLLM_ALLOW_RUNTIME_LORA_UPDATING`): its paths, its words and its
/// statuses, with an answer that names the model that was asked. It reads no weights, and answers nothing of its own. Training's store of
/// artefacts is beside it.
final class VLLMMock: Sendable {
    private struct State {
        var loaded: [String: String] = [:]
        var log: [String] = []
        var store: [String: [UInt8]] = [:]
    }

    private let state = Mutex(State())

    /// What was asked, in order.
    var log: [String] { state.withLock { $0.log } }

    /// As after a restart.
    func forget() { state.withLock { $0.loaded = [:] } }

    /// Puts an adapter's artefact into training's store.
    func keep(_ content: String) throws -> Digest {
        var entries: [JSONValue] = []
        for (path, text) in [("adapter_config.json", "{}"), ("adapter_model.safetensors", content)] {
            let bytes = Array(text.utf8)
            let digest = SHA256.hash(bytes).prefixed
            state.withLock { $0.store[digest] = bytes }
            entries.append(["bytes": .int(Int64(bytes.count)), "path": .string(path), "sha256": .string(digest)])
        }
        let manifest = try JSON.canonical(["files": .array(entries)])
        let digest = SHA256.hash(manifest)
        state.withLock { $0.store[digest.prefixed] = manifest }
        return digest
    }

    var mount: Mount { Mount("vllm-mock", routes: [load, unload, chat, artefact]) }

    private static func error(_ status: Int, _ type: String, _ message: String) -> Response {
        .json(
            ["error": ["message": .string(message), "type": .string(type), "param": .null, "code": .int(Int64(status))]], status: status)
    }

    private func route(_ path: String, _ name: String, _ work: @escaping @Sendable (JSONValue) throws -> Response) -> Route {
        Route(
            .post, "/vllm/v1/" + path, operation: name, summary: "A mock of vLLM's.", access: .public,
            body: .json(.openObject(), limit: 1 << 20),
            replies: [.content(200, "Words.", type: "text/plain")]
        ) { context in try work(context.json) }
    }

    private var load: Route {
        route("load_lora_adapter", "vllmLoad") { [self] body in
            let (name, path) = (body["lora_name"]?.stringValue ?? "", body["lora_path"]?.stringValue ?? "")
            guard FileManager.default.fileExists(atPath: path + "/adapter_config.json") else {
                return Self.error(404, "NotFoundError", "Loading lora \(name) failed: No adapter found for \(path)")
            }
            return state.withLock { state in
                state.log.append("load \(name)")
                guard state.loaded[name] == nil else {
                    return Self.error(400, "InvalidUserInput", "The lora adapter '\(name)' has already been loaded.")
                }
                state.loaded[name] = path
                return Response(text: "Success: LoRA adapter '\(name)' added successfully.")
            }
        }
    }

    private var unload: Route {
        route("unload_lora_adapter", "vllmUnload") { [self] body in
            let name = body["lora_name"]?.stringValue ?? ""
            return state.withLock { state in
                state.log.append("unload \(name)")
                guard state.loaded.removeValue(forKey: name) != nil else {
                    return Self.error(404, "NotFoundError", "The lora adapter '\(name)' cannot be found.")
                }
                return Response(text: "Success: LoRA adapter '\(name)' removed successfully.")
            }
        }
    }

    private var chat: Route {
        route("chat/completions", "vllmChat") { [self] body in
            let model = body["model"]?.stringValue ?? ""
            let isThere = state.withLock { state in
                state.log.append("ask \(model)")
                return model == "org/Tiny-1B" || state.loaded[model] != nil
            }
            guard isThere else { return Self.error(404, "NotFoundError", "The model `\(model)` does not exist.") }
            func chunk(_ delta: JSONValue, _ finish: JSONValue) -> JSONValue {
                [
                    "id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1_700_000_000, "model": .string(model),
                    "choices": [["index": 0, "delta": delta, "logprobs": .null, "finish_reason": finish]],
                ]
            }
            let chunks: [JSONValue] = [
                chunk(["role": "assistant", "content": ""], .null), chunk(["content": .string("I am \(model)")], .null),
                chunk(["content": ""], "stop"),
                [
                    "id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1_700_000_000, "model": .string(model), "choices": [],
                    "usage": ["prompt_tokens": 9, "total_tokens": 13, "completion_tokens": 4],
                ],
            ]
            let text = chunks.map { "data: " + String(decoding: JSON.write($0), as: UTF8.self) + "\n\n" }.joined() + "data: [DONE]\n\n"
            return Response(headers: ["Content-Type": "text/event-stream; charset=utf-8"], body: .bytes(Array(text.utf8)))
        }
    }

    private var artefact: Route {
        Route(
            .get, "/v1/adapters/artefacts/{digest}", operation: "mockArtefact", summary: "Training's store.", access: .authenticated,
            replies: [.content(200, "Bytes.", type: "application/octet-stream")], problems: [.notFound]
        ) { [self] context in
            let digest = context.path["digest"]
            guard let bytes = state.withLock({ $0.store[digest] }) else { throw Problem(.notFound, "no such artefact") }
            return Response(body: .bytes(bytes))
        }
    }
}
