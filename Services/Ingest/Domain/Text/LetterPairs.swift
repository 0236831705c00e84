/// The pairs of letters that occur within words of languages in Latin script. Text that is typed at random, encoded or
/// cut to pieces has far fewer of them than any language.
enum LetterPairs {
    /// One flag per pair, at `first * 26 + second`.
    static let common: [Bool] = {
        var flags = [Bool](repeating: false, count: 676)
        for pair in text.split(whereSeparator: \.isWhitespace) {
            let letters = Array(pair.utf8)
            flags[Int(letters[0] - 97) * 26 + Int(letters[1] - 97)] = true
        }
        return flags
    }()

    private static let text = """
        aa ab ac ad af ag ai ak al am an ao ap ar as at au av aw ax ay az ba be bi bj bl bn bo br bs bt bu by ca cc ce ch ci
        ck cl co cq cr cs ct cu cy cz da dc dd de dg dh di dj dl dm dn do dr ds du dv dw dy dz ea eb ec ed ee ef eg eh ei ek
        el em en eo ep eq er es et eu ev ew ex ey ez fa fe ff fi fj fl fo fr fs ft fu fy ga ge gg gh gi gl gm gn go gr gs gu
        gy ha he hi hj hl hm hn ho hr hs ht hu hy ia ib ic id ie if ig ih ij ik il im in io ip iq ir is it iu iv ix iz ja je
        jo ju ka ke ki kj kl kn ko ks kt ku kv la lc ld le lf li lj lk ll lm ln lo lp ls lt lu lv ly ma mb me mi mm mn mo mp
        ms mu my na nc nd ne nf ng nh ni nj nk nl nm nn no np nr ns nt nu nv ny nz oa ob oc od oe of og oh oi ok ol om on oo
        op or os ot ou ov ow ox oy pa pc pe pf ph pi pl pm po pp pr ps pt pu py qu ra rb rc rd re rf rg rh ri rj rk rl rm rn
        ro rp rr rs rt ru rv rw ry rz sa sc sd se sf sh si sk sl sm sn so sp ss st su sv sw sy sz ta tc td te tf th ti tj tl
        tm tn to tr ts tt tu tv tw ty tz ua ub uc ud ue uf ug ui ul um un up ur us ut uu ux va ve vi vl vo vr wa we wh wi wn
        wo wr ws wt wz xa xc xe xi xp xt xy ya yc yd ye yi yl ym yn yo yp yr ys yt za ze zg zi zl zn zo zs zu zw zy
        """
}
