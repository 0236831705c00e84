import ServiceTestSupport
import AgentGatewayDomain
import Crypto
import EventLog
import Events
import Identity
import JSON
import LedgerService
import TestSupport
import Testing

@Suite struct IdentityServiceTests {
    @Test func aPersonRegistersAndSignsInWithAKeyAndNobodyElseDoes() async throws {
        try await withGateway { gateway in
            let (key, other) = (try Ed25519PrivateKey.generate(), try Ed25519PrivateKey.generate())
            let registered = try await gateway.register("person", key)
            #expect(registered.status == 201)
            // What it wrote stands where the answer says, so that a read by that position sees it; an answer that wrote nothing names none.
            let position = try #require(registered.position)
            let written = try await gateway.house.ledger.client(for: .agentGateway).read(from: position, limit: 1, wait: nil).events.first
            #expect(try EventHeader(parsing: try #require(written).bytes).type == "principal.registered")
            let id = try #require(registered.json["principal"]?.stringValue)
            let again = try await gateway.register("person", key)
            #expect(again.status == 409 && again.position == nil)
            let second = try #require(try await gateway.register("person", other).json["principal"]?.stringValue)

            let token = try #require(try await gateway.signIn(id, key).json["token"]?.stringValue)
            let shown = try await gateway.call("GET", "/v1/principals/" + id, token: token)
            #expect(shown.json["keys"] == .texts([gateway.did(key)]) && shown.json["verified"] == .bool(false))

            // The wrong key, another's key, an old time, a time to come, a signature made for somebody else.
            let now = try gateway.now().microseconds
            let leeway = ProofMessages.leeway + 5_000_000
            #expect(try await gateway.signIn(id, try Ed25519PrivateKey.generate()).status == 401)
            #expect(try await gateway.signIn(id, other).status == 401)
            #expect(try await gateway.signIn("pr_nobody", key).status == 401)
            #expect(try await gateway.signIn(id, key, time: Timestamp(microseconds: now - leeway)).status == 401)
            #expect(try await gateway.signIn(id, key, time: Timestamp(microseconds: now + leeway)).status == 401)
            #expect(try await gateway.signIn(second, key, signedFor: id).status == 401)
            #expect(try await gateway.signIn(id, key, signedFor: second).status == 401)
        }
    }

    /// Whoever is shown a token of the gateway's checks it by what is published.
    @Test func aTokenIsCheckedByThePublishedKeys() async throws {
        try await withGateway { gateway in
            let key = try Ed25519PrivateKey.generate()
            let id = try #require(try await gateway.register("person", key).json["principal"]?.stringValue)
            let token = try #require(try await gateway.signIn(id, key).json["token"]?.stringValue)
            let published = try await gateway.call("GET", "/.well-known/jwks.json", token: nil)
            #expect(published.status == 200)
            let keys = try PublicKeySet(jwks: JSON.write(published.json))
            let verifier = try TokenVerifier(issuers: keys.byIssuer(), audiences: ["openledger"])
            #expect(try verifier.verify(token).subject == id)
            let metadata = try await gateway.call("GET", "/.well-known/oauth-authorization-server", token: nil)
            #expect(metadata.json["jwks_uri"]?.stringValue?.hasSuffix("/.well-known/jwks.json") == true)
        }
    }

    @Test func aTimeThatIsNoneIsRefusedWithItsPlace() async throws {
        try await withGateway { gateway in
            for time in ["2026-11-01T00:00:00Z", "2026-13-01T00:00:00.000000Z"] {
                let signIn: JSONValue = ["principal": "pr_1", "key": "did:key:z6Mk", "time": .string(time), "signature": "AAAA"]
                #expect(try await gateway.call("POST", "/v1/keys/token", token: nil, signIn).status == 400, "\(time)")
                let token = try gateway.house.token("ann", scopes: ["keys:write"])
                #expect([400, 404].contains(try await gateway.call("POST", "/v1/keys", token: token, ["expires": .string(time)]).status))
            }
        }
    }

    @Test func anAgentIsRegisteredWithItsOwnersConsentAlone() async throws {
        try await withGateway { gateway in
            let (key, bot, thief) = (
                try Ed25519PrivateKey.generate(), try Ed25519PrivateKey.generate(), try Ed25519PrivateKey.generate()
            )
            let owner = try #require(try await gateway.register("person", key).json["principal"]?.stringValue)
            #expect(try await gateway.register("agent", bot).status == 422)
            #expect(try await gateway.register("agent", bot, owner: (owner, thief)).status == 401)
            _ = try await gateway.register("person", thief)
            #expect(try await gateway.register("agent", bot, owner: (owner, thief)).status == 401)
            let agent = try await gateway.register("agent", bot, owner: (owner, key))
            #expect(agent.status == 201 && agent.json["owner"] == .string(owner))
        }
    }

    @Test func apiKeysWorkUntilTheyAreRevokedOrRunOut() async throws {
        try await withGateway { gateway in
            let (key, bot) = (try Ed25519PrivateKey.generate(), try Ed25519PrivateKey.generate())
            let owner = try #require(try await gateway.register("person", key).json["principal"]?.stringValue)
            let agent = try #require(
                try await gateway.register("agent", bot, owner: (owner, key)).json["principal"]?.stringValue)
            let token = try #require(try await gateway.signIn(owner, key).json["token"]?.stringValue)

            let issued = try await gateway.call("POST", "/v1/keys", token: token, ["scopes": ["keys:write", "inferences:read"]])
            #expect(issued.status == 201)
            let secret = try #require(issued.json["secret"]?.stringValue)
            let listed = try await gateway.call("GET", "/v1/keys", token: secret)
            #expect(listed.status == 200 && listed.json["items"]?.arrayValue?.count == 1)
            #expect(!String(decoding: JSON.write(listed.json), as: UTF8.self).contains(secret))

            // Nobody gives what they have not, to whom is not theirs, or for a time that is over.
            #expect(try await gateway.call("POST", "/v1/keys", token: secret, ["scopes": ["jobs:write"]]).status == 403)
            #expect(try await gateway.call("POST", "/v1/keys", token: token, ["scopes": ["principals:verify"]]).status == 403)
            #expect(try await gateway.call("POST", "/v1/keys", token: token, ["principal": "pr_nobody"]).status == 404)
            let stranger = try gateway.house.token("eve", scopes: ["keys:write"])
            #expect(try await gateway.call("POST", "/v1/keys", token: stranger, ["principal": .string(owner)]).status == 403)
            #expect(try await gateway.call("POST", "/v1/keys", token: token, ["expires": "2001-01-01T00:00:00.000000Z"]).status == 422)

            // With a budget, and nothing said, it allows answers alone.
            let limited = try await gateway.call(
                "POST", "/v1/keys", token: token, ["limits": ["budget": ["asset": "USDC/6", "amount": "5"]]])
            #expect(limited.json["scopes"] == ["inferences:read", "inferences:write"])
            let beyond = try await gateway.call(
                "POST", "/v1/keys", token: token,
                ["scopes": ["agents:write"], "limits": ["budget": ["asset": "USDC/6", "amount": "5"]]])
            #expect(beyond.status == 422)

            // A key for one's agent speaks as the agent.
            let agents = try await gateway.call(
                "POST", "/v1/keys", token: token, ["principal": .string(agent), "scopes": ["inferences:write"]])
            gateway.standIns.answer(["Yes"])
            #expect(try await gateway.ask(try #require(agents.json["secret"]?.stringValue)).status == 200)
            let inference = try #require(try await gateway.completed().first)
            #expect(inference.actor == agent && inference.payer == owner)

            let id = try #require(issued.json["key"]?.stringValue)
            #expect(try await gateway.call("DELETE", "/v1/keys/" + id, token: stranger).status == 404)
            #expect(try await gateway.call("DELETE", "/v1/keys/" + id, token: token).status == 204)
            #expect(try await gateway.call("GET", "/v1/keys", token: secret).status == 401)
        }
    }

    /// An API key that is stolen, or given to a program, makes nobody who may more than it, and nothing that outlives it.
    @Test func anAPIKeyMakesLinksAndRecoversNoKeys() async throws {
        try await withGateway { gateway in
            let (own, bot, other) = (
                try Ed25519PrivateKey.generate(), try Ed25519PrivateKey.generate(), try Ed25519PrivateKey.generate()
            )
            let id = try #require(try await gateway.register("person", own).json["principal"]?.stringValue)
            let agent = try #require(try await gateway.register("agent", bot, owner: (id, own)).json["principal"]?.stringValue)
            let token = try #require(try await gateway.signIn(id, own).json["token"]?.stringValue)
            // Nor is it one that may, unless that was said.
            let usual = try await gateway.call("POST", "/v1/keys", token: token, .object(JSONObject()))
            #expect(usual.json["scopes"] == .texts(PrincipalRules.usualScopes.subtracting(["keys:write"]).sorted()))
            let issued = try await gateway.call("POST", "/v1/keys", token: token, ["scopes": ["keys:write", "inferences:write"]])
            let secret = try #require(issued.json["secret"]?.stringValue)

            let linking = ProofMessages.linking(principal: id, key: gateway.did(other))
            let link: JSONValue = ["add": .string(gateway.did(other)), "signature": try gateway.signed(linking, other)]
            #expect(try await gateway.call("POST", "/v1/principals/\(id)/keys", token: secret, link).status == 403)
            let recovery = ProofMessages.recovery(principal: agent, key: gateway.did(other))
            let recover: JSONValue = ["key": .string(gateway.did(other)), "signature": try gateway.signed(recovery, other)]
            #expect(try await gateway.call("POST", "/v1/principals/\(agent)/recovery", token: secret, recover).status == 403)
            #expect(try await gateway.call("POST", "/v1/keys", token: secret, ["scopes": ["inferences:write"]]).status == 403)
            #expect(try await gateway.signIn(id, other).status == 401)
            #expect(try await gateway.call("POST", "/v1/principals/\(id)/keys", token: token, link).status == 200)
            #expect(try await gateway.signIn(id, other).status == 200)
        }
    }

    @Test func aKeyIsRotatedByItsPrincipalWithProofOfTheNewOne() async throws {
        try await withGateway { gateway in
            let (old, new) = (try Ed25519PrivateKey.generate(), try Ed25519PrivateKey.generate())
            let id = try #require(try await gateway.register("person", old).json["principal"]?.stringValue)
            let token = try #require(try await gateway.signIn(id, old).json["token"]?.stringValue)
            let path = "/v1/principals/\(id)/keys"
            let proof = ProofMessages.linking(principal: id, key: gateway.did(new))
            #expect(try await gateway.call("POST", path, token: token, ["remove": .string(gateway.did(old))]).status == 422)
            let unproven: JSONValue = ["add": .string(gateway.did(new)), "signature": try gateway.signed(proof, old)]
            #expect(try await gateway.call("POST", path, token: token, unproven).status == 401)
            let change: JSONValue = [
                "add": .string(gateway.did(new)), "signature": try gateway.signed(proof, new), "remove": .string(gateway.did(old)),
            ]
            let stranger = try gateway.house.token("eve", scopes: ["keys:write"])
            #expect(try await gateway.call("POST", path, token: stranger, change).status == 403)
            #expect(try await gateway.call("POST", path, token: token, change).status == 200)
            #expect(try await gateway.signIn(id, old).status == 401)
            // What the key that was given up had signed in for ends with it, and a token of the new one, made in the same second, does not.
            #expect(try await gateway.call("GET", "/v1/keys", token: token).status == 401)
            let fresh = try #require(try await gateway.signIn(id, new).json["token"]?.stringValue)
            #expect(try await gateway.call("GET", "/v1/keys", token: fresh).status == 200)
        }
    }

    @Test func whoLostTheirKeysIsRecoveredByWhoMayAndAnAgentByItsOwner() async throws {
        try await withGateway { gateway in
            let (lost, bot, new) = (
                try Ed25519PrivateKey.generate(), try Ed25519PrivateKey.generate(), try Ed25519PrivateKey.generate()
            )
            let id = try #require(try await gateway.register("person", lost).json["principal"]?.stringValue)
            let agent = try #require(try await gateway.register("agent", bot, owner: (id, lost)).json["principal"]?.stringValue)
            let token = try #require(try await gateway.signIn(id, lost).json["token"]?.stringValue)
            let found = try #require(
                try await gateway.call("POST", "/v1/keys", token: token, .object(JSONObject())).json["secret"]?.stringValue)
            func recovery(_ id: String, _ key: Ed25519PrivateKey, signedBy signer: Ed25519PrivateKey? = nil) throws -> JSONValue {
                let message = ProofMessages.recovery(principal: id, key: gateway.did(key))
                return ["key": .string(gateway.did(key)), "signature": try gateway.signed(message, signer ?? key)]
            }
            let path = "/v1/principals/\(id)/recovery"
            let operating = try gateway.house.token("root", scopes: ["keys:write", "principals:recover"])
            // Not by strangers, nor by the principal itself, which has its own way; and with proof of the new key.
            #expect(
                try await gateway.call("POST", path, token: try gateway.house.token("eve", scopes: ["keys:write"]), recovery(id, new))
                    .status == 403)
            #expect(try await gateway.call("POST", path, token: token, recovery(id, new)).status == 403)
            #expect(try await gateway.call("POST", path, token: operating, recovery(id, new, signedBy: lost)).status == 401)
            #expect(try await gateway.call("POST", path, token: operating, recovery(id, bot)).status == 409)
            #expect(try await gateway.call("POST", path, token: operating, recovery(id, new)).status == 200)
            #expect(try await gateway.signIn(id, lost).status == 401)
            #expect(try await gateway.signIn(id, new).status == 200)
            #expect(try await gateway.call("GET", "/v1/keys", token: found).status == 401)
            // Nor does the token that they had signed in for: not to read, either.
            #expect(try await gateway.call("GET", "/v1/principals/\(id)", token: token).status == 401)
            #expect(try await gateway.ask(token).status == 401)

            let owner = try #require(try await gateway.signIn(id, new).json["token"]?.stringValue)
            let other = try Ed25519PrivateKey.generate()
            // Who found the keys may have a token that was made by them: it changes no keys any more, and makes none.
            let linking = ProofMessages.linking(principal: id, key: gateway.did(other))
            let link: JSONValue = ["add": .string(gateway.did(other)), "signature": try gateway.signed(linking, other)]
            #expect(try await gateway.call("POST", "/v1/principals/\(id)/keys", token: token, link).status == 401)
            #expect(try await gateway.call("POST", "/v1/keys", token: token, .object(JSONObject())).status == 401)
            #expect(
                try await gateway.call("POST", "/v1/principals/\(agent)/recovery", token: token, recovery(agent, other)).status == 401)
            #expect(try await gateway.call("POST", "/v1/keys", token: owner, .object(JSONObject())).status == 201)
            #expect(try await gateway.call("POST", "/v1/principals/\(agent)/recovery", token: owner, recovery(agent, other)).status == 200)
            #expect(try await gateway.signIn(agent, bot).status == 401)
            #expect(try await gateway.signIn(agent, other).status == 200)
        }
    }
}
