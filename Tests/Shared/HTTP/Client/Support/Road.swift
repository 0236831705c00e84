import Foundation
import HTTP
import HTTPClient
import HTTPServer
import Testing

/// The ways a request can take to a handler; what holds on one must hold on all.
enum Road: String, CaseIterable, Sendable, CustomTestStringConvertible {
    case tcp, unix, inProcess

    var testDescription: String { rawValue }

    /// Serves `handler` and calls `body` with a client of it and the URL of its root.
    func lead(
        to handler: @escaping Handler, options: CurlOptions = CurlOptions(), server serverOptions: HTTPServer.Options = .init(),
        _ body: (any Transport, _ root: String) async throws -> Void
    ) async throws {
        switch self {
        case .inProcess:
            try await body(InProcessTransport(handler: handler), "http://service")
        case .tcp:
            try await withServer(.ipv4("127.0.0.1", port: 0), serverOptions, handler) { server in
                try await withCurl(options) { try await body($0, "http://127.0.0.1:\(server.port)") }
            }
        case .unix:
            let path = NSTemporaryDirectory() + "client-\(UUID().uuidString.prefix(8)).sock"
            var options = options
            options.unixSockets["service"] = path
            try await withServer(.unix(path), serverOptions, handler) { _ in
                try await withCurl(options) { try await body($0, "http://service") }
            }
        }
    }
}

func withServer(
    _ address: Address = .ipv4("127.0.0.1", port: 0), _ options: HTTPServer.Options = .init(), _ handler: @escaping Handler,
    _ body: (Server) async throws -> Void
) async throws {
    var options = options
    options.limits.body = 1 << 30
    let server = try Server(address, options: options, handler: handler)
    do {
        try await body(server)
    } catch {
        await server.stop(grace: .zero)
        throw error
    }
    await server.stop(grace: .zero)
}

func withCurl(_ options: CurlOptions = CurlOptions(), _ body: (CurlTransport) async throws -> Void) async throws {
    let transport = try CurlTransport(options: options)
    do {
        try await body(transport)
    } catch {
        await transport.close()
        throw error
    }
    await transport.close()
}
