//! The ways to break the contract that the suite is known to notice, and by which clause.

/// One way to break the contract. Everything else is left as the network underneath does it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Breach {
    /// The ends of requests are never reported.
    DropsEnds,
    /// Every end is reported twice.
    RepeatsEnds,
    /// Requests end three seconds after their deadline.
    EndsLate,
    /// Requests are given a tenth of their time.
    EndsEarly,
    /// A deadline that has passed is taken for none.
    ForgivesPassedDeadlines,
    /// Cancelling does nothing.
    IgnoresCancel,
    /// Cancelling what is not there cancels the last request.
    CancelsAnother,
    /// Reports come under the id of a neighbouring request.
    SwapsIds,
    /// Items are said to come from this node itself.
    MisnamesGivers,
    /// Every item is reported twice.
    RepeatsItems,
    /// Only the first item of a lookup is reported.
    ReportsFirstItemOnly,
    /// A refused record is handed over as a value.
    HandsOverRefused,
    /// Rejections are not reported.
    HidesRejections,
    /// What is not found is said to have timed out.
    NeverMisses,
    /// Records are said to be stored and are not.
    StoresNothing,
    /// More peers are said to have acknowledged than there are.
    InflatesAcks,
    /// A record is stored that the validator refuses, by making it good.
    StoresIllMade,
    /// Providers come in the reverse order.
    ReversesProviders,
    /// The last provider is not reported.
    LosesAProvider,
    /// The limit on an item's bytes is not looked at.
    IgnoresSizes,
    /// Answers lose their last byte.
    ShortensAnswers,
    /// What a request cost is not counted.
    MiscountsCost,
    /// A peer's refusal is taken for a broken stream.
    BlursRefusals,
    /// Only peers that are connected are asked.
    AsksOnlyTheConnected,
    /// Every failure is put down to this node.
    BlamesItself,
    /// The second reply to a question is the one that counts.
    SecondReplyCounts,
    /// Withdrawals are not reported.
    HidesWithdrawals,
    /// Blocking does nothing.
    IgnoresBlocks,
    /// Announcements are not handed up.
    HearsNothing,
    /// Announcements are handed up without a subscription.
    HearsEverything,
    /// Announcements that the validator refuses are handed up.
    HearsIllMade,
    /// A refused announcement is charged to somebody else.
    MischargesAnnouncements,
    /// The clock goes back now and then.
    TurnsTimeBack,
    /// Deadlines are reported 20 ms early.
    EarlyDeadlines,
    /// Deadlines are reported two seconds late.
    LateDeadlines,
    /// A due deadline is reported only when nothing else waits.
    DeadlinesLast,
    /// What came in a poll whose waker differs from the last is lost.
    LosesDroppedPolls,
    /// The waker of the first poll is kept for good.
    KeepsFirstWaker,
    /// One request is counted for ever.
    LeaksAGauge,
    /// Who asks first has all the room there is: everybody else is refused.
    ServesOneAsker,
    /// Nothing is refused as too much.
    HidesCapacity,
    /// `Closed` is not reported.
    HidesClosed,
    /// Something is reported after `Closed`.
    SpeaksAfterClosed,
    /// A node has another name after its restart.
    ForgetsNames,
    /// A crash loses what was synced.
    LosesSynced,
    /// A crash keeps what was not synced.
    KeepsUnsynced,
    /// A network is given out whenever it is asked for.
    GivesNetworksTwice,
}

/// Every breach, with the clauses that must notice it.
pub fn breaches() -> Vec<(Breach, &'static [&'static str])> {
    use Breach::*;
    vec![
        (DropsEnds, &["every_request_ends_once"]),
        (RepeatsEnds, &["every_request_ends_once"]),
        (EndsLate, &["a_silent_peer_times_out"]),
        (EndsEarly, &["a_silent_peer_times_out"]),
        (ForgivesPassedDeadlines, &["a_passed_deadline_ends_at_once"]),
        (IgnoresCancel, &["nothing_follows_a_cancelled_question", "nothing_follows_a_cancelled_lookup"]),
        (CancelsAnother, &["cancelling_what_is_not_there_is_harmless"]),
        (SwapsIds, &["request_ids_are_kept_apart"]),
        (MisnamesGivers, &["a_lookup_names_each_giver", "a_question_is_answered"]),
        (RepeatsItems, &["a_lookup_names_each_giver"]),
        (ReportsFirstItemOnly, &["a_lookup_names_each_giver"]),
        (HandsOverRefused, &["a_refused_value_is_rejected"]),
        (
            HidesRejections,
            &[
                "a_refused_value_is_rejected",
                "an_oversized_record_is_rejected",
                "an_oversized_answer_is_rejected",
            ],
        ),
        (NeverMisses, &["a_lookup_without_a_value_says_so"]),
        (StoresNothing, &["what_was_put_is_got_elsewhere"]),
        (InflatesAcks, &["a_put_counts_what_was_acknowledged"]),
        (StoresIllMade, &["an_ill_made_record_is_not_kept"]),
        (ReversesProviders, &["providers_are_found_in_order"]),
        (LosesAProvider, &["providers_are_found_in_order"]),
        (IgnoresSizes, &["an_oversized_record_is_rejected", "an_oversized_answer_is_rejected"]),
        (ShortensAnswers, &["a_question_is_answered", "an_application_answers_once"]),
        (MiscountsCost, &["a_question_is_answered"]),
        (BlursRefusals, &["a_busy_peer_refuses", "one_asker_does_not_take_all_room"]),
        (ServesOneAsker, &["one_asker_does_not_take_all_room"]),
        (AsksOnlyTheConnected, &["a_stranger_is_found_through_the_dht"]),
        (BlamesItself, &["an_absent_peer_fails_by_the_deadline"]),
        (SecondReplyCounts, &["an_application_answers_once"]),
        (HidesWithdrawals, &["a_question_given_up_is_withdrawn"]),
        (IgnoresBlocks, &["a_blocked_peer_is_left_alone"]),
        (HearsNothing, &["subscribers_hear_announcements"]),
        (HearsEverything, &["subscribers_hear_announcements"]),
        (HearsIllMade, &["an_ill_made_announcement_goes_nowhere"]),
        (MischargesAnnouncements, &["an_ill_made_announcement_goes_nowhere"]),
        (TurnsTimeBack, &["now_never_goes_back"]),
        (EarlyDeadlines, &["a_deadline_is_kept"]),
        (LateDeadlines, &["a_deadline_is_kept"]),
        (DeadlinesLast, &["a_due_deadline_comes_first"]),
        (LosesDroppedPolls, &["a_dropped_poll_loses_nothing"]),
        (KeepsFirstWaker, &["a_dropped_poll_loses_nothing"]),
        (LeaksAGauge, &["nothing_is_left_behind"]),
        (
            HidesCapacity,
            &[
                "too_many_questions_are_refused_here",
                "too_many_lookups_are_refused_here",
                "what_is_too_large_is_not_sent",
            ],
        ),
        (HidesClosed, &["nothing_follows_closed"]),
        (SpeaksAfterClosed, &["nothing_follows_closed"]),
        (ForgetsNames, &["a_restarted_node_keeps_its_name"]),
        (LosesSynced, &["a_store_keeps_what_was_synced"]),
        (KeepsUnsynced, &["a_store_keeps_what_was_synced"]),
        (GivesNetworksTwice, &["a_network_is_taken_once_in_a_life"]),
    ]
}
