public import Events
internal import Identity
public import Money

extension BillingState {
    /// An open hold.
    public func hold(_ id: String) -> Hold? { holds[id] }

    /// Reserves part of a balance until log time reaches `expires`.
    /// - Parameters:
    ///   - model: whose usage will be charged under it, at the price of this moment.
    ///   - reference: what it is for, in the words of who asks.
    public func placeHold(
        id: String, on account: AccountID, _ amount: Amount, expires: Timestamp, model: String?, reference: String? = nil, now: Timestamp
    ) throws(BillingError) -> Decision {
        guard amount.isPositive else { throw .notPositive("the amount of a hold") }
        guard account.accountKind?.isTransferable == true else { throw .wrongKind(account, reason: "cannot be held") }
        guard expires > now else { throw .invalid(field: "expires", reason: "must lie after now, \(now)") }
        guard journal.account(account, amount.asset) != nil else { throw .unknownAccount(account, amount.asset) }
        let available = journal.available(account, amount.asset)
        guard amount.units <= available.units else { throw .insufficient(account, wanted: amount, available: available) }
        var price: PriceReference?
        if let model {
            guard let published = prices[model]?.last else { throw .notFound("price of model \(model)") }
            guard published.asset == amount.asset else { throw .wrongAsset(expected: published.asset, actual: amount.asset) }
            price = PriceReference(model: model, version: published.version)
        }
        return Decision(
            .holdPlaced(HoldPlaced(id: id, account: account, amount: amount, expires: expires, price: price, reference: reference)))
    }

    mutating func apply(_ data: HoldPlaced) throws(BillingFault) {
        guard holds[data.id] == nil else { throw BillingFault(HoldPlaced.type, data.id, "is there already") }
        guard data.amount.isPositive, let place = journal.place(data.account, data.amount.asset),
            data.amount.units <= journal.accounts[place].available
        else { throw BillingFault(HoldPlaced.type, data.id, "holds more than \(data.account) has") }
        journal.hold(place, data.amount.units)
        holds[data.id] = Hold(account: data.account, left: data.amount, expires: data.expires, price: data.price)
        holdExpiry.insert(Due(time: data.expires, id: data.id))
    }

    /// Takes part or all of a hold.
    /// - Parameters:
    ///   - reference: what it is for; a settlement draws on it under this name. One hold can pay for several.
    ///   - final: whether what is left is set free.
    public func captureHold(
        _ id: String, _ amount: Amount, reference: String, final: Bool, now: Timestamp, edition: Int = BillingState.presentEdition
    ) throws(BillingError) -> Decision {
        let hold = try usableHold(id, now)
        if edition > 1 { try refuseSettled(reference) }
        guard amount.asset == hold.left.asset else { throw .wrongAsset(expected: hold.left.asset, actual: amount.asset) }
        guard amount.isPositive else { throw .notPositive("the amount of a capture") }
        guard amount.units <= hold.left.units else { throw .beyond(what: "the hold \(id)", wanted: amount, left: hold.left) }
        return try capture(id, hold, amount, reference: reference, final: final, usage: nil)
    }

    /// Takes what metered usage costs at the hold's price, at most what is left of it, and sets the rest free.
    public func captureUsage(
        _ id: String, _ quantities: [MeterQuantity], reference: String, now: Timestamp, edition: Int = BillingState.presentEdition
    ) throws(BillingError) -> Decision {
        let hold = try usableHold(id, now)
        if edition > 1 { try refuseSettled(reference) }
        guard let charge = try usageCharge(hold, quantities, now) else {
            throw .invalid(field: "usage", reason: "cannot be charged: the hold \(id) was placed without a model")
        }
        let amount = Amount(min(charge.fee.units, hold.left.units), charge.fee.asset)
        return try capture(id, hold, amount, reference: reference, final: true, usage: charge)
    }

    /// What is captured for something that was settled would be shared out by nothing.
    private func refuseSettled(_ reference: String) throws(BillingError) {
        if isSettled(reference) { throw .exists("a settlement of \(reference)") }
    }

    func usageCharge(_ hold: Hold, _ quantities: [MeterQuantity], _ now: Timestamp) throws(BillingError) -> UsageCharge? {
        guard let reference = hold.price, let price = price(reference) else { return nil }
        let period = Rating.period(of: now)
        let fee = try Rating.fee(quantities, price: price) { meter in
            usage[UsageKey(payer: hold.account, model: reference.model, meter: meter, period: period)] ?? 0
        }
        return UsageCharge(price: reference, period: period, quantities: quantities, fee: fee)
    }

    func capture(
        _ id: String, _ hold: Hold, _ amount: Amount, reference: String, final: Bool, usage: UsageCharge?
    ) throws(BillingError) -> Decision {
        guard captured[reference] == nil || captured[reference]?.payer == hold.account else {
            throw .exists("a capture for \(reference) from another payer")
        }
        if let first = captured[reference], first.amount.asset != amount.asset {
            throw .wrongAsset(expected: first.amount.asset, actual: amount.asset)
        }
        let rest = Amount(final ? hold.left.units - amount.units : 0, amount.asset)
        let postings = Self.move(amount, from: hold.account, to: .fees)
        return Decision(
            .holdCaptured(
                HoldCaptured(id: id, reference: reference, amount: amount, released: rest, usage: usage, postings: .entries(postings))))
    }

    mutating func apply(_ data: HoldCaptured, at time: Timestamp) throws(BillingFault) {
        guard var hold = holds[data.id], let place = journal.place(hold.account, hold.left.asset) else {
            throw BillingFault(HoldCaptured.type, data.id, "is not open")
        }
        let (taken, overflow) = data.amount.units.addingReportingOverflow(data.released.units)
        guard !overflow, !data.amount.isNegative, !data.released.isNegative, taken <= hold.left.units,
            data.amount.asset == hold.left.asset, data.released.asset == hold.left.asset
        else { throw BillingFault(HoldCaptured.type, data.id, "takes more than is left of it") }
        let postings = try post(data.postings, HoldCaptured.type, data.id, freed: [place: taken])
        try expect(postings, Self.move(data.amount, from: hold.account, to: .fees), HoldCaptured.type, data.id)
        journal.hold(place, -taken)
        charged(place, data.amount.units, at: time)
        hold.left = Amount(hold.left.units - taken, hold.left.asset)
        if hold.left.isZero {
            holds[data.id] = nil
            holdExpiry.remove(Due(time: hold.expires, id: data.id))
        } else {
            holds[data.id] = hold
        }
        if let usage = data.usage {
            for quantity in usage.quantities {
                let key = UsageKey(payer: hold.account, model: usage.price.model, meter: quantity.meter, period: usage.period)
                self.usage[key, default: 0] += quantity.quantity
            }
        }
        try addCaptured(hold.account, data.amount, data.reference, HoldCaptured.type, data.id, at: time)
    }

    /// A fee that was taken without a hold.
    mutating func capture(
        _ postings: [Posting], _ reference: String, _ type: String, _ subject: String, at time: Timestamp
    ) throws(BillingFault) {
        guard let credit = postings.first(where: { $0.account == .fees }), let debit = postings.first(where: { $0.amount.isNegative })
        else {
            guard postings.isEmpty else { throw BillingFault(type, subject, "is no capture of a fee") }
            unpaid.insert(reference)
            return
        }
        try addCaptured(debit.account, credit.amount, reference, type, subject, at: time)
        if let place = journal.place(debit.account, credit.amount.asset) { charged(place, credit.amount.units, at: time) }
    }

    private mutating func addCaptured(
        _ payer: AccountID, _ amount: Amount, _ reference: String, _ type: String, _ subject: String, at time: Timestamp
    ) throws(BillingFault) {
        guard var first = captured[reference] else {
            let due = time.adding(seconds: Captured.patience)
            captured[reference] = Captured(payer: payer, amount: amount, due: due)
            capturedDue.insert(Due(time: due, id: reference))
            return
        }
        guard first.payer == payer, let sum = try? first.amount.adding(amount) else {
            throw BillingFault(type, subject, "captures for \(reference) from another payer or in another asset")
        }
        first.amount = sum
        captured[reference] = first
    }

    /// A captured fee has been shared out, or has gone back.
    mutating func forgetCaptured(_ reference: String) {
        guard let fee = captured.removeValue(forKey: reference) else { return }
        capturedDue.remove(Due(time: fee.due, id: reference))
    }

    mutating func apply(_ data: HoldReturned) throws(BillingFault) {
        guard let fee = captured[data.reference], fee.payer == data.payer, fee.amount == data.amount else {
            throw BillingFault(HoldReturned.type, data.reference, "is not what was captured for it")
        }
        let postings = try post(data.postings, HoldReturned.type, data.reference)
        try expect(postings, Self.move(fee.amount, from: .fees, to: fee.payer), HoldReturned.type, data.reference)
        forgetCaptured(data.reference)
        // Whoever shaped it may yet be known, and is then told that there was nothing to share out.
        unpaid.insert(data.reference)
    }

    /// Sets what is left of a hold free.
    public func releaseHold(_ id: String) throws(BillingError) -> Decision {
        guard let hold = holds[id] else { throw missing(id) }
        return Decision(.holdReleased(HoldReleased(id: id, amount: hold.left, expired: false)))
    }

    mutating func apply(_ data: HoldReleased) throws(BillingFault) {
        guard let hold = holds.removeValue(forKey: data.id), hold.left == data.amount,
            let place = journal.place(hold.account, hold.left.asset)
        else { throw BillingFault(HoldReleased.type, data.id, "is not open, or not over that amount") }
        journal.hold(place, -hold.left.units)
        if data.expired { expiredHolds.insert(data.id, hold.expires) }
        holdExpiry.remove(Due(time: hold.expires, id: data.id))
    }

    func usableHold(_ id: String, _ now: Timestamp) throws(BillingError) -> Hold {
        guard let hold = holds[id] else { throw missing(id) }
        guard now < hold.expires else { throw .holdExpired(id, at: hold.expires) }
        return hold
    }

    private func missing(_ id: String) -> BillingError {
        if let time = expiredHolds[id] { return .holdExpired(id, at: time) }
        return .notFound("open hold \(id): it was captured, released, has expired, or never was")
    }

    // MARK: Prices

    /// A price; the newest when no version is given.
    public func price(_ model: String, version: Int? = nil) -> PricePublished? {
        version.map { price(PriceReference(model: model, version: $0)) } ?? prices[model]?.last
    }

    func price(_ reference: PriceReference) -> PricePublished? {
        guard let versions = prices[reference.model], (1...versions.count).contains(reference.version) else { return nil }
        return versions[reference.version - 1]
    }

    /// Publishes the next version of a model's price.
    public func publishPrice(model: String, asset: Asset, meters: [MeterPrice]) throws(BillingError) -> Decision {
        let price = PricePublished(model: model, version: (prices[model]?.count ?? 0) + 1, asset: asset, meters: meters)
        try Rating.check(price)
        return Decision(.pricePublished(price))
    }

    mutating func apply(_ data: PricePublished) throws(BillingFault) {
        guard data.version == (prices[data.model]?.count ?? 0) + 1 else {
            throw BillingFault(PricePublished.type, data.model, "version \(data.version) does not follow \(prices[data.model]?.count ?? 0)")
        }
        prices[data.model, default: []].append(data)
    }

    /// Sets the rules of settlement from here on.
    public func setRules(_ rules: SettlementRulesSet) throws(BillingError) -> Decision {
        try Settlement.checkPoints([rules.platformPoints, 10_000 - rules.platformPoints], "the platform's part")
        let training = rules.training
        try Settlement.checkPoints(
            [training.owner, training.datanets, training.contributors, training.validators, training.compute], "the training split")
        guard training.owner == 0 else { throw .invalid(field: "training", reason: "must give nothing to the owner, who pays the fee") }
        guard rules.platform.accountKind == .platform else { throw .wrongKind(rules.platform, reason: "is not the platform's") }
        if let guardian = rules.guardian, DIDKey.publicKey(in: guardian) == nil {
            throw .invalid(field: "guardian", reason: "must be the did:key of an Ed25519 key")
        }
        guard rules.holdbackSeconds <= 31_536_000, rules.unbondSeconds <= 31_536_000 else {
            throw .invalid(field: "holdback_seconds", reason: "and unbond_seconds must be at most a year")
        }
        return Decision(.settlementRulesSet(rules))
    }
}
