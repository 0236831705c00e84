internal import AgentEconomyDomain
internal import Decisions
internal import EVM
internal import Events
internal import HTTP
internal import JSON
internal import Money
internal import Telemetry
internal import Web

/// x402's facilitator: sellers anywhere ask whether a payment is good, and have it made. What is signed is the payer's word and names who
/// is paid, so nobody needs a credential.
struct FacilitatorRoutes: Sendable {
    let maker: DecisionMaker<EconomyState>
    let desk: PaymentDesk
    let directory: ServiceDirectory
    let address: PublicAddress

    var routes: [Route] { [verify, settle, supported, discovery, payments, payment] }

    private static let body: Schema = .openObject(
        .required("x402Version", .integer(1...2)), .required("paymentPayload", .openObject()),
        .required("paymentRequirements", .openObject()))

    private func read(_ context: RequestContext) throws(PaymentError) -> PaymentDesk.Checked {
        let payment = try SignedPayment(context.json["paymentPayload"] ?? .null)
        let terms = try PaymentTerms(context.json["paymentRequirements"] ?? .null, version: payment.x402)
        do { return try desk.check(payment, terms) } catch let error as PaymentError { throw error } catch {
            throw .malformed("\(error)")
        }
    }

    /// Who claims to pay, to be named in a refusal.
    private static func payer(_ context: RequestContext) -> String? {
        let payload = context.json["paymentPayload"]?["payload"]
        return (payload?["authorization"]?["from"] ?? payload?["permit2Authorization"]?["from"])?.stringValue.map { String($0.prefix(42)) }
    }

    private static func network(_ context: RequestContext) -> String {
        String((context.json["paymentRequirements"]?["network"]?.stringValue ?? "").prefix(100))
    }

    private var verify: Route {
        Route(
            .post, "/x402/verify", operation: "verifyPayment", summary: "Whether a signed payment is good (x402); nothing is changed.",
            access: .public, body: .json(Self.body), replies: [.json(200, "isValid, or why not.", .any)], problems: [.unavailable]
        ) { [desk] context in
            do {
                let checked = try read(context)
                try await desk.verify(checked)
                return .json(["isValid": .bool(true), "payer": .string(checked.signed.from.checksummed)])
            } catch let error as PaymentError {
                return .json(
                    .members([
                        "isValid": .bool(false), "invalidReason": .string(error.code), "invalidMessage": .string(error.description),
                        "payer": Self.payer(context).map { .string($0) },
                    ]))
            } catch let trouble as PaymentTrouble { throw trouble.problem }
        }
    }

    private var settle: Route {
        Route(
            .post, "/x402/settle", operation: "settlePayment",
            summary: "Makes a signed payment (x402). The same again is answered by what came of it, and pays nothing more.",
            access: .public, body: .json(Self.body), replies: [.json(200, "success, or why not.", .any)], problems: [.unavailable]
        ) { [desk] context in
            do {
                let checked = try read(context)
                let payment = try await desk.settle(checked, correlation: context.trace.traceID)
                return .json(PaymentForms.settlement(payment, network: Self.network(context)))
            } catch let error as PaymentError {
                return .json(PaymentForms.refusal(error, payer: Self.payer(context), network: Self.network(context)))
            } catch let trouble as PaymentTrouble { throw trouble.problem }
        }
    }

    private var supported: Route {
        Route(
            .get, "/x402/supported", operation: "supportedPayments", summary: "Which payments are taken here (x402).", access: .public,
            replies: [.json(200, "Kinds, extensions and signers.", .any)]
        ) { [desk] _ in
            let networks = desk.networks
            func kind(_ version: Int, _ scheme: String, _ network: String, _ extra: JSONValue? = nil) -> JSONValue {
                .members(["x402Version": .count(version), "scheme": .string(scheme), "network": .string(network), "extra": extra])
            }
            let house = PaymentNetworks.name(networks.chain)
            var kinds = [
                kind(2, "exact", house, ["assets": Self.assets(networks)]),
                kind(2, "upto", house, ["facilitatorAddress": .string(networks.facilitator.checksummed), "assets": Self.assets(networks)]),
                kind(1, "exact", house),
            ]
            if let token = networks.token {
                kinds.append(kind(2, "exact", PaymentNetworks.name(token.chain)))
                kinds.append(kind(1, "exact", PaymentNetworks.oldName(token.chain)))
            }
            return .json([
                "kinds": .array(kinds), "extensions": ["payment-identifier", "bazaar"],
                "signers": ["eip155:*": [.string(networks.facilitator.checksummed)]],
            ])
        }
    }

    private static func assets(_ networks: PaymentNetworks) -> JSONValue {
        .array(
            networks.assets.map {
                [
                    "asset": .string($0.text), "address": .string(PaymentNetworks.address(of: $0).checksummed), "name": .string($0.text),
                    "version": .string(PaymentNetworks.version), "decimals": .count($0.digits),
                ]
            })
    }

    private var discovery: Route {
        Route(
            .get, "/x402/discovery/resources", operation: "discoverResources",
            summary: "What may be bought here by x402, made from the services that are listed.", access: .public,
            query: [
                QueryParameter("type", .text(1...20), "http, or nothing is found."),
                QueryParameter("payTo", .text(42...42), "Who is paid."),
                QueryParameter("scheme", .text(1...20), "exact or upto."),
                QueryParameter("network", .text(1...60), "Such as eip155:84532."),
                QueryParameter("limit", .integer(1...1_000), "100 when left out."), QueryParameter("offset", .integer(0...1_000_000), "0."),
            ], replies: [.json(200, "Resources.", .any)]
        ) { [desk, directory, address] context in
            let query = context.query
            let (limit, offset) = (query.integer("limit") ?? 100, query.integer("offset") ?? 0)
            let base = address.base(context.request)
            let wanted = (query.string("payTo")?.lowercased(), query.string("scheme"), query.string("network"))
            let all = try await directory.entries().map { PaymentForms.resource($0, desk.networks, base: base) }.filter { resource in
                query.string("type") ?? "http" == "http"
                    && resource.offers.contains { offer in
                        (wanted.0 == nil || wanted.0 == offer.payTo.description) && (wanted.1 == nil || wanted.1 == offer.scheme)
                            && (wanted.2 == nil || wanted.2 == PaymentNetworks.name(offer.chain))
                    }
            }
            return .json([
                "x402Version": 2, "items": .array(all.dropFirst(offset).prefix(limit).map(PaymentForms.discovered)),
                "pagination": ["limit": .count(limit), "offset": .count(offset), "total": .count(all.count)],
            ])
        }
    }

    // MARK: Did my payment happen?

    private var payments: Route {
        Route(
            .get, "/x402/payments", operation: "findPayment",
            summary: "What came of what a payer signed: SETTLED, FAILED or UNKNOWN. 404: it was never taken up here.", access: .public,
            query: [
                QueryParameter("network", .text(1...60), "Such as eip155:84532.", required: true),
                QueryParameter("payer", .text(42...42), "The address that signed.", required: true),
                QueryParameter("nonce", .text(1...78), "As it was signed.", required: true),
            ], replies: [.json(200, "The payment.", .any)], problems: [.notFound]
        ) { [maker] context in
            let query = context.query
            let (payer, nonce) = (query.string("payer")?.lowercased() ?? "", query.string("nonce")?.lowercased() ?? "")
            guard let chain = PaymentNetworks.chain(query.string("network") ?? "") else {
                throw Problem(.badQuery, "must be a network such as eip155:84532", field: "network")
            }
            guard let found = try await maker.query({ $0.payment(chain: chain, from: payer, nonce: nonce) }) else {
                throw EconomyError.notFound("payment of \(payer) with the nonce \(nonce)")
            }
            return .json(PaymentForms.status(found))
        }
    }

    private var payment: Route {
        Route(
            .get, "/x402/payments/{payment}", operation: "showPayment", summary: "What came of a payment: SETTLED, FAILED or UNKNOWN.",
            access: .public, replies: [.json(200, "The payment.", .any)], problems: [.notFound]
        ) { [maker] context in
            let id = context.path["payment"]
            guard let found = try await maker.query({ $0.payments[id] }) else { throw EconomyError.notFound("payment \(id)") }
            return .json(PaymentForms.status(found))
        }
    }
}

extension PaymentTrouble {
    var problem: Problem {
        Problem(.unavailable, "\(why); the same payment may be sent again", headers: ["Retry-After": "2"])
    }
}
