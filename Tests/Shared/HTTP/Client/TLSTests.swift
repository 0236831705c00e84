import HTTP
import HTTPClient
import Testing

@Suite(.serialized) struct TLSTests {
    private func fetch(_ options: CurlOptions, _ url: String, method: String = "GET") async throws -> String {
        let client = try CurlTransport(options: options)
        do {
            let response = try await client.send(ClientRequest(method: method, url: url))
            let text = String(decoding: try await response.body.collect(upTo: 1000), as: UTF8.self)
            await client.close()
            return text
        } catch {
            await client.close()
            throw error
        }
    }

    private func failure(_ options: CurlOptions, _ url: String, method: String = "GET") async -> HTTPClientError? {
        do {
            _ = try await fetch(options, url, method: method)
            return nil
        } catch {
            return error as? HTTPClientError
        }
    }

    private func expectTLSFailure(_ error: HTTPClientError?, sourceLocation: SourceLocation = #_sourceLocation) {
        guard case .tls(let text) = error else {
            Issue.record("\(String(describing: error))", sourceLocation: sourceLocation)
            return
        }
        #expect(!text.isEmpty && error?.isRetriable == false && error?.mayHaveReachedServer == false, sourceLocation: sourceLocation)
    }

    @Test func onlyTheRightAuthorityAndNameAreTrusted() async throws {
        try await TLSPeer.run { peer in
            let url = peer.root
            let text = try await fetch(CurlOptions(caFile: peer.certificates.authority), url)
            #expect(text.hasPrefix("TLSv1.3 nobody") || text.hasPrefix("TLSv1.2 nobody"), "\(text)")
            expectTLSFailure(await failure(CurlOptions(), url))
            expectTLSFailure(await failure(CurlOptions(caFile: peer.certificates.stranger), url))
            expectTLSFailure(await failure(CurlOptions(caFile: peer.certificates.file("missing.pem")), url))
            expectTLSFailure(await failure(CurlOptions(caFile: peer.certificates.authority), "https://127.0.0.1:\(peer.port)/"))
        }
    }

    @Test func connectionsAreUsedAgain() async throws {
        try await TLSPeer.run { peer in
            try await withCurl(CurlOptions(caFile: peer.certificates.authority)) { client in
                var counts: Set<String> = []
                for _ in 0..<10 {
                    let response = try await client.send(ClientRequest(url: peer.root))
                    let text = String(decoding: try await response.body.collect(upTo: 1000), as: UTF8.self)
                    counts.insert(String(text.split(separator: " ").last ?? ""))
                }
                #expect(counts.count == 1)
            }
        }
    }

    @Test func aServerThatAsksWhoCallsIsTold() async throws {
        try await TLSPeer.run(wantsClient: true) { peer in
            let url = peer.root
            var options = CurlOptions(caFile: peer.certificates.authority)
            #expect(await failure(options, url) != nil)
            options.clientCertificate = .init(
                certificateFile: peer.certificates.file("client.pem"), keyFile: peer.certificates.file("client.key"))
            let text = try await fetch(options, url)
            #expect(text.contains(" client "), "\(text)")
            options.clientCertificate = .init(
                certificateFile: peer.certificates.file("no.pem"), keyFile: peer.certificates.file("client.key"))
            expectTLSFailure(await failure(options, url))
        }
    }

    @Test func aServerWithoutTLSIsNoServerForHTTPS() async throws {
        let blunt = RawPeer { connection in
            connection.send("HTTP/1.1 400 Bad Request\r\n\r\n")
            connection.waitForEnd()
        }
        expectTLSFailure(await failure(CurlOptions(), "https://127.0.0.1:\(blunt.port)/"))
    }

    @Test func aServerThatHangsUpWhileWeWriteIsAnErrorNotTheEnd() async throws {
        try await TLSPeer.run { peer in
            try await withCurl(CurlOptions(caFile: peer.certificates.authority)) { client in
                for _ in 0..<5 {
                    let body = ClientBody.bytes([UInt8](repeating: 1, count: 4 << 20))
                    await #expect(throws: HTTPClientError.self) {
                        try await client.send(ClientRequest(method: "POST", url: peer.root, body: body))
                    }
                }
            }
        }
    }
}
