public import Events
public import HTTP
public import HTTPClient
public import HTTPSignatures
public import Telemetry

/// Sends what is due, as Standard Webhooks 1.0 says: signed, with the same id however often, until it is taken or a day and more is over.
/// Each request is signed by the service's own key as well (RFC 9421), which receivers can check without a shared secret.
public struct WebhookSender: Sendable {
    private let queue: WebhookQueue
    private let secrets: WebhookSecrets
    private let signer: MessageSigner
    private let transport: any Transport
    private let fields: @Sendable (WebhookDelivery) async throws -> [Header]
    private let clock: @Sendable () -> Timestamp
    private let logger: Logger

    /// - Parameters:
    ///   - signer: signs each request.
    ///   - fields: further fields of a request, such as a token that its receiver asked for.
    public init(
        queue: WebhookQueue, secrets: WebhookSecrets, signer: MessageSigner, transport: any Transport,
        clock: @escaping @Sendable () -> Timestamp, logger: Logger,
        fields: @escaping @Sendable (WebhookDelivery) async throws -> [Header] = { _ in [] }
    ) {
        self.queue = queue
        self.secrets = secrets
        self.signer = signer
        self.transport = transport
        self.fields = fields
        self.clock = clock
        self.logger = logger
    }

    /// The transport of webhooks: it goes to public addresses alone, whatever a name leads to.
    /// - Parameter allowsPlain: whether addresses of this machine are let through, for trying things out.
    public static func transport(allowsPlain: Bool) throws -> any Transport {
        try CurlTransport(options: CurlOptions(refusesPrivateAddresses: !allowsPlain))
    }

    /// Seconds to the next attempt after the first, second, … one.
    static let pauses = [5, 30, 120, 600, 3_600, 21_600, 86_400]
    /// So many are on their way at once, and so many of them to one address: who answers slowly holds up nobody else.
    private static let atOnce = 128
    private static let toOne = 4
    private static let taken = 32

    /// Until the task is cancelled.
    public func run() async {
        await withTaskGroup(of: String?.self) { group in
            /// By webhook, how many are on their way.
            var flying: [String: Int] = [:]
            group.addTask { await Self.pause() }
            // Each delivery says at its end which webhook it was of, a pause nothing.
            while let ended = await group.next() {
                if Task.isCancelled { break }
                if let ended {
                    flying[ended] = flying[ended] == 1 ? nil : (flying[ended] ?? 1) - 1
                } else {
                    group.addTask { await Self.pause() }
                }
                for delivery in await take(flying) {
                    flying[delivery.webhook, default: 0] += 1
                    group.addTask {
                        await send(delivery)
                        return delivery.webhook
                    }
                }
            }
            group.cancelAll()
        }
    }

    private static func pause() async -> String? {
        try? await Task.sleep(for: .milliseconds(500))
        return nil
    }

    /// What is due and has room.
    private func take(_ flying: [String: Int]) async -> [WebhookDelivery] {
        let room = Self.atOnce - flying.values.reduce(0, +)
        guard room > 0 else { return [] }
        do {
            let busy = flying.filter { $0.value > Self.toOne / 2 }.keys.sorted()
            return try await queue.take(min(room, Self.taken), each: Self.toOne / 2, without: busy)
        } catch {
            if !Task.isCancelled { logger.warning("webhooks are not sent: \(error)") }
            return []
        }
    }

    private func send(_ delivery: WebhookDelivery) async {
        let start = ContinuousClock.now
        let timestamp = clock().microseconds / 1_000_000
        var request = ClientRequest(
            method: "POST", url: delivery.url, body: .bytes(delivery.body), timeout: .seconds(15), maximumBodyBytes: 64 << 10)
        request.headers.set("Content-Type", "application/json")
        request.headers.set("webhook-id", delivery.event)
        request.headers.set("webhook-timestamp", String(timestamp))
        request.headers.set(
            "webhook-signature",
            secrets.signature(
                delivery.webhook, delivery.generations, id: delivery.event, timestamp: timestamp, body: delivery.body))
        var status: Int?
        var failure: String?
        do {
            for field in try await fields(delivery) { request.headers.set(field.name, field.value) }
            let signed = try signer.sign(
                "POST", delivery.url, headers: request.headers, body: delivery.body, covering: ["webhook-id", "webhook-timestamp"],
                now: timestamp)
            for field in signed { request.headers.set(field.name, field.value) }
            let response = try await transport.send(request)
            status = response.status
            _ = try? await response.body.collect(upTo: 64 << 10)
        } catch {
            failure = "\(error)"
        }
        let isDelivered = status.map { (200..<300).contains($0) } ?? false
        let pause = Self.pauses.count >= delivery.attempt ? Self.pauses[delivery.attempt - 1] : nil
        do {
            try await queue.note(
                delivery, status: status, error: failure, millis: Int((ContinuousClock.now - start) / .milliseconds(1)),
                isDelivered: isDelivered, pause: status == 410 ? nil : pause)
            // Gone: the other side wants no more.
            if status == 410 { try await queue.end(delivery.webhook) }
        } catch {
            logger.warning("an attempt of the webhook \(delivery.webhook) is not noted: \(error)")
        }
    }
}
