import Foundation
import HTTP
import HTTPClient
import PrivatePostgres

/// The LiteLLM proxy in front of the stub: a budget for the model and its provider, kept in memory, and every request logged to a file.
/// OPENLEDGER_TEST_LITELLM names the `litellm` of a virtual environment with `litellm[proxy]`; LITELLM_WORKERS its processes, 1: a budget
/// that is kept in memory holds in one process only.
struct LiteLLMPeer {
    static let key = "sk-benchmark"
    let target: StreamTarget
    let version: String
    private let process: Subprocess
    private let folder: URL

    static func start(stub: Int, _ transport: CurlTransport) async throws -> LiteLLMPeer? {
        let environment = ProcessInfo.processInfo.environment
        guard let program = environment["OPENLEDGER_TEST_LITELLM"] else { return nil }
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("openledger-bench-litellm-\(getpid())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try """
        model_list:
          - model_name: stub
            litellm_params:
              model: openai/stub
              api_base: http://127.0.0.1:\(stub)/v1
              api_key: none
              input_cost_per_token: 0.000001
              output_cost_per_token: 0.000002
              max_budget: 1000000
              budget_duration: 30d
        router_settings:
          provider_budget_config:
            openai:
              budget_limit: 1000000
              time_period: 30d
        litellm_settings:
          callbacks: litellm_requests.log
          num_retries: 0
        general_settings:
          master_key: \(key)

        """.write(to: folder.appendingPathComponent("config.yaml"), atomically: true, encoding: .utf8)
        let source = URL(fileURLWithPath: FileManager.default.currentDirectoryPath + "/Benchmarks/Gateway/litellm_requests.py")
        try FileManager.default.copyItem(at: source, to: folder.appendingPathComponent("litellm_requests.py"))
        let port = try LoopbackPort.free()
        var own = environment
        own["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
        own["LITELLM_LOG"] = "ERROR"
        own["REQUEST_LOG"] = folder.appendingPathComponent("requests.jsonl").path
        let process = try await Subprocess.start(
            [
                program, "--config", folder.appendingPathComponent("config.yaml").path, "--host", "127.0.0.1", "--port", String(port),
                "--num_workers", environment["LITELLM_WORKERS"] ?? "1", "--telemetry", "False",
            ], .init(environment: own, workingDirectory: folder.path, signalAtParentsEnd: .terminate))
        let target = StreamTarget(name: "litellm", url: "http://127.0.0.1:\(port)", key: key, model: "stub", process: process.pid)
        let version = try await Subprocess.run([program, "--version"]).output.trimmingCharacters(in: .whitespacesAndNewlines)
        let peer = LiteLLMPeer(target: target, version: version, process: process, folder: folder)
        let load = StreamLoad(target: target, transport: transport, streams: 1)
        for _ in 0..<120 where process.status == nil {
            if (try? await load.ask("Are you there?")) != nil { return peer }
            try await Task.sleep(for: .milliseconds(500))
        }
        await peer.stop()
        throw BenchmarkError("LiteLLM does not answer: \(process.output.suffix(2_000))")
    }

    /// Lines of its log of requests: that it was on.
    var logged: Int {
        let text = (try? String(contentsOf: folder.appendingPathComponent("requests.jsonl"), encoding: .utf8)) ?? ""
        return text.utf8.count { $0 == UInt8(ascii: "\n") }
    }

    func stop() async {
        process.send(signal: SIGTERM)
        if await process.wait(atMost: .seconds(10)) == nil { process.send(signal: SIGKILL) }
        _ = await process.wait()
        try? FileManager.default.removeItem(at: folder)
    }
}
