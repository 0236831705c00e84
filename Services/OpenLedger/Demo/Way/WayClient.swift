import Crypto
import Foundation
import HTTP
import HTTPClient
import Identity
import JSON

/// Calls the public REST interface as one of the people of the story.
struct WayClient: Sendable {
    let transport: CurlTransport
    let url: String

    /// An answer that was no success.
    struct Refused: Error, CustomStringConvertible {
        let status: Int
        let call: String
        let detail: String
        var description: String { "\(call): \(status) \(detail)" }
    }

    /// Calls a route. Commands get an Idempotency-Key of their own.
    func call(
        _ method: String, _ path: String, as credential: String?, json: JSONValue? = nil, timeout: Duration = .seconds(120)
    ) async throws -> JSONValue {
        let body = try await send(
            method, path, as: credential, bytes: json.map { JSON.write($0) }, type: "application/json", timeout: timeout)
        return body.isEmpty ? .null : try JSON.parse(body)
    }

    func send(
        _ method: String, _ path: String, as credential: String?, bytes: [UInt8]?, type: String, headers: Headers = [:],
        timeout: Duration = .seconds(120)
    ) async throws -> [UInt8] {
        var request = ClientRequest(method: method, url: url + path, headers: headers, timeout: timeout, maximumBodyBytes: 64 << 20)
        if let credential { request.headers.set("Authorization", "Bearer " + credential) }
        if let bytes {
            request.headers.set("Content-Type", type)
            request.body = .bytes(bytes)
        }
        if method == "POST" || method == "DELETE" { request.headers.set("Idempotency-Key", Hex.encode(Random.bytes(16))) }
        let response = try await transport.send(request)
        let body = try await response.body.collect(upTo: 64 << 20)
        guard response.status < 300 else {
            let problem = try? JSON.parse(body)
            let detail = problem?["detail"]?.stringValue ?? problem?["error"]?["message"]?.stringValue
            throw Refused(
                status: response.status, call: "\(method) \(path)", detail: detail ?? String(decoding: body.prefix(300), as: UTF8.self))
        }
        return body
    }

    /// Asks until the answer is what is waited for.
    /// - Throws: `CommandError` when it is not within `limit`.
    func wait(
        for what: String, limit: Duration = .seconds(300), _ path: String, as credential: String?, until: (JSONValue) -> Bool
    ) async throws -> JSONValue {
        let deadline = ContinuousClock.now + limit
        var last = ""
        while ContinuousClock.now < deadline {
            do {
                let answer = try await call("GET", path, as: credential)
                if until(answer) { return answer }
                last = String(decoding: JSON.write(answer).prefix(400), as: UTF8.self)
            } catch let refused as Refused where refused.status == 404 { last = refused.description }
            try await Task.sleep(for: .milliseconds(100))
        }
        throw CommandError("waited \(limit) for \(what); the last answer was \(last)")
    }
}

/// Somebody of the story: a key of their own, a principal's id, a token.
struct WayPerson: Sendable {
    let name: String
    let key: Ed25519PrivateKey
    let principal: String
    let token: String

    var did: String { DIDKey.text(for: key.publicKey) }

    /// Registers and signs in.
    static func arrive(_ name: String, kind: String = "person", of owner: WayPerson? = nil, _ client: WayClient) async throws -> WayPerson {
        let key = try Ed25519PrivateKey.generate()
        let did = DIDKey.text(for: key.publicKey)
        let message = Array("openledger/register\n\(kind)\n\(did)\n\(owner?.principal ?? "")".utf8)
        var body: JSONObject = [
            "kind": .string(kind), "key": .string(did), "signature": .string(Base64URL.encode(try key.sign(message))),
        ]
        if let owner {
            body["owner"] = .string(owner.principal)
            body["owner_key"] = .string(owner.did)
            body["owner_signature"] = .string(Base64URL.encode(try owner.key.sign(message)))
        }
        let registered = try await client.call("POST", "/v1/principals", as: nil, json: .object(body))
        guard let principal = registered["principal"]?.stringValue else { throw CommandError("no principal came back for \(name)") }
        let time = WayTime.now()
        let proof = Array("openledger/sign-in\n\(principal)\n\(did)\n\(time)".utf8)
        let signedIn = try await client.call(
            "POST", "/v1/keys/token", as: nil,
            json: [
                "principal": .string(principal), "key": .string(did), "time": .string(time),
                "signature": .string(Base64URL.encode(try key.sign(proof))),
            ])
        guard let token = signedIn["token"]?.stringValue else { throw CommandError("\(name) could not sign in") }
        return WayPerson(name: name, key: key, principal: principal, token: token)
    }
}
