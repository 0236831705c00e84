internal import Events
internal import HTTP
internal import HTTPClient
internal import Telemetry

/// Sends what is due, as Standard Webhooks 1.0 says: signed, with the same id however often, until it is taken or a day and more is over.
struct WebhookSender: Sendable {
    let store: WebhookStore
    let secrets: WebhookSecrets
    let transport: any Transport
    let clock: @Sendable () -> Timestamp
    let logger: Logger

    /// Seconds to the next attempt after the first, second, … one.
    static let pauses = [5, 30, 120, 600, 3_600, 21_600, 86_400]
    private static let atOnce = 16

    /// Until the task is cancelled.
    func run() async {
        while !Task.isCancelled {
            do {
                while try await sendSome() {}
            } catch {
                if Task.isCancelled { return }
                logger.warning("webhooks are not sent: \(error)")
            }
            try? await Task.sleep(for: .milliseconds(500))
        }
    }

    /// - Returns: whether there was anything to send.
    private func sendSome() async throws -> Bool {
        let due = try await store.take(Self.atOnce)
        await withTaskGroup(of: Void.self) { group in
            for delivery in due { group.addTask { await send(delivery) } }
        }
        return !due.isEmpty
    }

    private func send(_ delivery: Delivery) async {
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
            let response = try await transport.send(request)
            status = response.status
            _ = try? await response.body.collect(upTo: 64 << 10)
        } catch {
            failure = "\(error)"
        }
        let isDelivered = status.map { (200..<300).contains($0) } ?? false
        let pause = Self.pauses.count >= delivery.attempt ? Self.pauses[delivery.attempt - 1] : nil
        do {
            try await store.note(
                delivery, status: status, error: failure, millis: Int((ContinuousClock.now - start) / .milliseconds(1)),
                isDelivered: isDelivered, pause: status == 410 ? nil : pause)
            // Gone: the other side wants no more.
            if status == 410 { try await store.end(delivery.webhook) }
        } catch {
            logger.warning("an attempt of the webhook \(delivery.webhook) is not noted: \(error)")
        }
    }
}
