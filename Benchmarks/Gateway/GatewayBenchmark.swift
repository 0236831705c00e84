import Foundation
import HTTPClient
import PrivatePostgres

/// The gateway as shipped (durable holds, metering, texts sealed and kept, limits of the key, a line of log for each request) beside the LiteLLM
/// proxy and beside the stub asked directly: same run, same stub, same load.
enum GatewayBenchmark {
    private static let idle = 200

    static func run(_ options: BenchOptions) async throws {
        let transport = try CurlTransport(options: CurlOptions(maximumConnectionsPerHost: 512, maximumIdleConnections: 1_024))
        let stub = try await startStub()
        var peer: LiteLLMPeer?
        do {
            let ours = try await GatewayUnderTest.start(stub: stub.port, transport)
            do {
                peer = try await LiteLLMPeer.start(stub: stub.port, transport)
                try await compare(options, stub: stub.port, ours.target, peer, transport)
            } catch {
                await ours.stop()
                throw error
            }
            await ours.stop()
        } catch {
            await peer?.stop()
            stub.process.send(signal: SIGTERM)
            throw error
        }
        await peer?.stop()
        stub.process.send(signal: SIGTERM)
        _ = await stub.process.wait()
        await transport.close()
    }

    private static func startStub() async throws -> (port: Int, process: Subprocess) {
        let process = try await Subprocess.start([CommandLine.arguments[0], "gateway-stub"], .init(signalAtParentsEnd: .terminate))
        for _ in 0..<200 {
            if let port = process.output.split(separator: "\n").first.flatMap({ Int($0.dropFirst(5)) }) { return (port, process) }
            try await Task.sleep(for: .milliseconds(20))
        }
        throw BenchmarkError("the stub does not start: \(process.output)")
    }

    private static func compare(
        _ options: BenchOptions, stub: Int, _ ours: StreamTarget, _ peer: LiteLLMPeer?, _ transport: CurlTransport
    ) async throws {
        let direct = StreamTarget(name: "the stub itself", url: "http://127.0.0.1:\(stub)", key: "none", model: "stub")
        let targets = [direct, ours] + (peer.map { [$0.target] } ?? [])
        print(
            "\(StubUpstream.tokens) tokens a stream, \(options.seconds) s each; \(peer?.version ?? "without LiteLLM: OPENLEDGER_TEST_LITELLM names it")"
        )
        row("first token: added p50, p99 (whole)", "streams/s", "p50", "p99", widths: [40, 14, 22, 22])
        for streams in options.callers.isEmpty ? [1, 50, 200] : options.callers {
            var figures: [Figures] = []
            for target in targets {
                let load = StreamLoad(target: target, transport: transport, streams: streams)
                _ = try await load.run(seconds: 1)
                var rounds: [Figures] = []
                for _ in 0..<options.rounds { rounds.append(try await load.run(seconds: Double(options.seconds))) }
                figures.append(median(rounds))
            }
            for (target, one) in zip(targets, figures) { line("\(target.name), \(streams) at a time", one, beside: figures[0]) }
            if figures.count == 3 { ratios(figures) }
        }
        for target in targets.dropFirst() { try await memory(target, transport) }
        if let peer { print("LiteLLM logged \(peer.logged) requests") }
    }

    private static func line(_ name: String, _ one: Figures, beside direct: Figures) {
        func cell(_ part: Double) -> String {
            let (own, base) = (one.percentile(part), direct.percentile(part))
            return "+\(micro(max(0, own - base))) (\(micro(own)))"
        }
        row(name, thousands(one.perSecond), cell(0.5), cell(0.99), widths: [40, 14, 22, 22])
    }

    /// Ours by LiteLLM's: latency that is added, and throughput.
    private static func ratios(_ figures: [Figures]) {
        func share(_ part: Double) -> String {
            let base = figures[0].percentile(part)
            let (ours, theirs) = (max(0, figures[1].percentile(part) - base), figures[2].percentile(part) - base)
            return theirs > 0 ? String(format: "1/%.1f", theirs / max(ours, 0.000_001)) : "-"
        }
        row(
            "  ours beside LiteLLM's", String(format: "%.1fx", figures[1].perSecond / figures[2].perSecond), share(0.5), share(0.99),
            widths: [40, 14, 22, 22])
    }

    private static func memory(_ target: StreamTarget, _ transport: CurlTransport) async throws {
        guard let process = target.process else { return }
        let load = StreamLoad(target: target, transport: transport, streams: 1)
        let before = ProcessMemory.of(process)
        let open = try await load.open(idle)
        try await Task.sleep(for: .milliseconds(500))
        let after = ProcessMemory.of(process)
        row(
            "\(target.name): memory", "\(before >> 20) MiB", "an idle stream",
            String(format: "%.1f KiB", Double(after - before) / Double(open.count) / 1_024), widths: [40, 14, 22, 22])
    }
}
