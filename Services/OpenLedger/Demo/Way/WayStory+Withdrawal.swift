import Crypto
import Events
import Foundation
import JSON
import Money

/// Consent that is taken back.
extension WayStory {
    // MARK: Withdrawal

    /// An author takes a row back: the next snapshot lacks it, and the old one says so.
    func withdraw(_ cast: Cast, _ datanets: [Datanet]) async throws {
        guard let datanet = datanets.first, let contribution = datanet.contributions.first,
            let author = cast.authors[contribution.author]
        else { throw CommandError("there is nothing to withdraw") }
        let item = contribution.id + ".1"
        _ = try await client.call(
            "POST", "/v1/contributions/\(contribution.id)/withdrawal", as: author.token, json: ["items": [.string(item)]])
        _ = try await client.wait(
            for: "the withdrawal to arrive", "/v1/snapshots/\(datanet.snapshot)/withdrawn", as: cast.maya.token,
            until: { String(decoding: JSON.write($0), as: UTF8.self).contains(item) })
        let next = try await client.call("POST", "/v1/datanets/\(datanet.id)/snapshots", as: cast.maya.token, json: .object(JSONObject()))
        guard let items = next["items"]?.intValue, Int(items) == datanet.items - 1 else {
            throw CommandError("the next snapshot of \(datanet.name) still has the row that was withdrawn")
        }
        Terminal.say(
            "\n8. \(author.name) withdraws a row of \(datanet.name): snapshot 2 has \(items) items, and snapshot 1 names what it has no longer leave to use."
        )
    }
}
