internal import Crypto
internal import Decisions
internal import Events
internal import JSON
internal import Replay

/// Admission, and what leads to it.
extension DatanetLaw {
    func review(_ append: ReplayedAppend, _ state: DatanetState, _ moment: Moment) throws -> Made? {
        switch append.first.type {
        case ReviewOpened.type:
            let data: ReviewOpened = try append.data(ReviewOpened.self)
            if data.round > 1 {
                guard let reason = data.reason else { throw Unlawful("an appeal has a reason") }
                return Made(try AppealRules.appeal(state, data.contribution, reason: reason, moment))
            }
            guard append.reactsTo != nil else {
                return Made(try AdmissionRules.reopen(state, data.contribution, moment))
            }
            return try settle(data.contribution, append, state, moment)
        case AdmissionGranted.type:
            return try settle(append.data(AdmissionGranted.self).contribution, append, state, moment)
        case AdmissionRefused.type:
            return try settle(append.data(AdmissionRefused.self).contribution, append, state, moment)
        case ReviewDrawn.type: return try draw(append.data(ReviewDrawn.self).review, append, state, moment)
        case ReviewClosed.type:
            let data: ReviewClosed = try append.data(ReviewClosed.self)
            if append.reactsTo != nil { return try draw(data.review, append, state, moment) }
            return try close(data.review, append, state, moment)
        case ReviewVoted.type:
            let data: ReviewVoted = try append.data(ReviewVoted.self)
            return Made(try ReviewRules.vote(state, data.review, admit: data.admit, reason: data.reason, moment))
        case ReviewTrapCommitted.type:
            let data: ReviewTrapCommitted = try append.data(ReviewTrapCommitted.self)
            return Made(
                try AppealRules.setTrap(state, data.datanet, commitment: data.commitment, tag: data.tag, moment),
                gaps: [
                    ReplayGap(
                        "tags of traps", why: "a trap's tag is a keyed hash of its contribution, which nobody may guess before the vote")
                ])
        case ReviewTrapRevealed.type:
            let data: ReviewTrapRevealed = try append.data(ReviewTrapRevealed.self)
            return Made(
                try AppealRules.reveal(
                    state, data.trap, contribution: data.contribution, admit: data.admit, salt: data.salt, tag: state.traps[data.trap]?.tag,
                    moment))
        default: return nil
        }
    }

    private func settle(_ id: String, _ append: ReplayedAppend, _ state: DatanetState, _ moment: Moment) throws -> Made {
        let contribution = try state.contribution(id)
        guard append.reactsTo == contribution.event, append.first.time == contribution.time else {
            throw Unlawful("answers no screening of \(id)")
        }
        guard contribution.status == .pending else { throw Unlawful("\(id) was decided on before") }
        let items = try evidence.entries(contribution.items)
        let plan = AdmissionPlan(
            state, contribution, items: items, judgingQuality: AdmissionRules.judgesQuality(state, contribution))
        return Made(
            try AdmissionRules.settle(state, id, AdmissionRules.Prepared(items: items, plan: plan), moment),
            checked: ["items' admissions": items.count])
    }

    private func draw(_ id: String, _ append: ReplayedAppend, _ state: DatanetState, _ moment: Moment) throws -> Made {
        guard let review = state.reviews[id], append.reactsTo == review.event, let opening = openings[id] else {
            throw Unlawful("answers no opening of the review \(id), or a second time")
        }
        let owners = Set(try evidence.entries(try state.contribution(review.contribution).items).map(\.owner))
        return Made(
            try ReviewRules.draw(state, id, size: Int(opening.position) + 1, root: opening.root, owners: owners, moment),
            checked: ["drawn panels": 1])
    }

    private func close(_ id: String, _ append: ReplayedAppend, _ state: DatanetState, _ moment: Moment) throws -> Made {
        guard let review = state.reviews[id] else { throw Unlawful("there is no review \(id)") }
        let contribution = try state.contribution(review.contribution)
        let items = try evidence.entries(contribution.items)
        var already: Set<String> = []
        for list in contribution.admitted { already.formUnion(try evidence.entries(list).map(\.item)) }
        let plan = AdmissionPlan(state, contribution, items: items, judgingQuality: false, already: already)
        return Made(
            try ReviewRules.close(state, id, AdmissionRules.Prepared(items: items, plan: plan, already: already), moment),
            checked: ["reviews": 1])
    }
}
