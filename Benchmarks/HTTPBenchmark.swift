import Foundation
@preconcurrency import Glibc
import HTTP
import HTTPServer
import PrivatePostgres

/// The HTTP server alone: beside nginx's fixed answer, and what idle connections and slow readers cost.
enum HTTPBenchmark {
    static func run(_ options: BenchOptions) async throws {
        let server = try Server(.ipv4("127.0.0.1", port: 0), options: Options()) { _ in Response(text: "Hello, world!") }
        let nginx = try await Nginx.start()
        var ours: [Double] = []
        var theirs: [Double] = []
        var cpu = 0.0
        for _ in 0..<options.rounds {
            theirs.append(try await Wrk.get("http://127.0.0.1:\(nginx.port)/", connections: 64, seconds: options.seconds).rate)
            let before = processCPU()
            let rate = try await Wrk.get("http://127.0.0.1:\(server.port)/", connections: 64, seconds: options.seconds).rate
            cpu = (processCPU() - before) / (rate * Double(options.seconds))
            ours.append(rate)
        }
        await nginx.stop()
        let (mine, peer) = (ours.sorted()[ours.count / 2], theirs.sorted()[theirs.count / 2])
        row("hello, 64 connections, one thread", thousands(mine), "", "", micro(cpu) + " CPU")
        row("  beside nginx's fixed answer, one worker", thousands(peer), ratio(mine / peer))
        await server.stop(grace: .seconds(1))
        try await idle()
        try await hangUps()
        try await slowReader()
    }

    private static func idle() async throws {
        let server = try Server(.ipv4("127.0.0.1", port: 0), options: Options()) { _ in Response(text: "Hello, world!") }
        var sockets: [Int32] = []
        // A first hundred warms up what is made once.
        for _ in 0..<100 { sockets.append(try RawClient.hello(server.port)) }
        let before = residentBytes()
        for _ in 0..<1_000 { sockets.append(try RawClient.hello(server.port)) }
        row("idle connection, of 1,000", "\((residentBytes() - before) / 1_000) B")
        for socket in sockets { close(socket) }
        await server.stop(grace: .seconds(1))
    }

    private static func hangUps() async throws {
        let cancelled = AsyncStream<Double>.makeStream()
        let started = AsyncStream<Void>.makeStream()
        let server = try Server(.ipv4("127.0.0.1", port: 0), options: Options()) { _ in
            started.continuation.yield()
            do { try await Task.sleep(for: .seconds(60)) } catch { cancelled.continuation.yield(monotonic()) }
            return Response(text: "late")
        }
        var starts = started.stream.makeAsyncIterator()
        var ends = cancelled.stream.makeAsyncIterator()
        var times: [Double] = []
        for _ in 0..<200 {
            let socket = try RawClient.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n", to: server.port)
            _ = await starts.next()
            let gone = monotonic()
            close(socket)
            if let end = await ends.next() { times.append(end - gone) }
        }
        times.sort()
        row("hang-up to cancelled handler", "", "p50 " + micro(times[100]), "max " + micro(times[199]))
        await server.stop(grace: .seconds(1))
    }

    /// 2 GiB to a handler that rests after each 8 MiB.
    private static func slowReader() async throws {
        var options = Options()
        options.limits.body = 4 << 30
        options.handlerTimeout = nil
        let server = try Server(.ipv4("127.0.0.1", port: 0), options: options) { request in
            var total = 0
            var mark = 0
            for try await piece in request.body {
                total += piece.count
                if total - mark > 8 << 20 {
                    mark = total
                    try await Task.sleep(for: .milliseconds(2))
                }
            }
            return Response(text: "\(total)")
        }
        let size = 2 << 30
        _ = try RawClient.hello(server.port)
        let before = residentBytes()
        let port = server.port
        let upload = Task.detached { try RawClient.upload(size, to: port) }
        var most = before
        let watch = Task {
            var most = before
            while !Task.isCancelled {
                most = max(most, residentBytes())
                try? await Task.sleep(for: .milliseconds(20))
            }
            return most
        }
        let answer = try await upload.value
        watch.cancel()
        most = await watch.value
        guard answer.hasSuffix("\(size)") else { throw BenchmarkError("the upload was answered: \(answer)") }
        row("2 GiB upload to a slow reader", String(format: "+%.1f MiB", Double(most - before) / 1_048_576))
        await server.stop(grace: .seconds(1))
    }

    /// Resident memory of this process.
    static func residentBytes() -> Int {
        let text = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8)) ?? ""
        return (Int(text.split(separator: " ").dropFirst().first ?? "") ?? 0) * 4096
    }
}

/// nginx with one worker and a fixed answer.
struct Nginx {
    let port: Int
    private let process: Subprocess
    private let folder: URL

    static func start() async throws -> Nginx {
        let port = try LoopbackPort.free()
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("openledger-nginx-\(getpid())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let configuration = folder.appendingPathComponent("nginx.conf")
        try """
        daemon off; worker_processes 1; error_log stderr; pid \(folder.path)/pid;
        events { worker_connections 1024; }
        http { access_log off; keepalive_requests 1000000000;
          server { listen 127.0.0.1:\(port); location / { default_type text/plain; return 200 "Hello, world!"; } } }

        """.write(to: configuration, atomically: true, encoding: .utf8)
        let process = try await Subprocess.start(["nginx", "-c", configuration.path, "-p", folder.path])
        for _ in 0..<200 {
            if let socket = try? RawClient.connect(port) {
                close(socket)
                return Nginx(port: port, process: process, folder: folder)
            }
            try await Task.sleep(for: .milliseconds(20))
        }
        throw BenchmarkError("nginx does not start: \(process.errors); apt-get install nginx-light")
    }

    func stop() async {
        process.send(signal: SIGTERM)
        _ = await process.wait()
        try? FileManager.default.removeItem(at: folder)
    }
}

/// A client of plain sockets, which costs next to nothing.
enum RawClient {
    static func connect(_ port: Int) throws -> Int32 {
        let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(UInt16(port).bigEndian)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        let status = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { Glibc.connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
        }
        guard status == 0 else {
            close(socket)
            throw BenchmarkError("can't connect to port \(port)")
        }
        return socket
    }

    static func send(_ text: String, to port: Int) throws -> Int32 {
        let socket = try connect(port)
        let bytes = Array(text.utf8)
        guard write(socket, bytes, bytes.count) == bytes.count else { throw BenchmarkError("can't write") }
        return socket
    }

    /// One request on a connection that stays open.
    static func hello(_ port: Int) throws -> Int32 {
        let socket = try send("GET / HTTP/1.1\r\nHost: x\r\n\r\n", to: port)
        var buffer = [UInt8](repeating: 0, count: 1024)
        guard read(socket, &buffer, buffer.count) > 0 else { throw BenchmarkError("no answer") }
        return socket
    }

    static func upload(_ size: Int, to port: Int) throws -> String {
        let socket = try send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: \(size)\r\n\r\n", to: port)
        defer { close(socket) }
        let piece = [UInt8](repeating: 120, count: 256 << 10)
        var sent = 0
        while sent < size {
            let count = write(socket, piece, min(piece.count, size - sent))
            guard count > 0 else { throw BenchmarkError("the upload broke off after \(sent) bytes") }
            sent += count
        }
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = read(socket, &buffer, buffer.count)
        return String(decoding: buffer.prefix(max(0, count)), as: UTF8.self)
    }
}
