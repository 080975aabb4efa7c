//! The tables as both migrations make them (`tests/it/store.rs` compares).

diesel::table! {
    people (id) {
        id -> Text,
        email -> Text,
        name -> Text,
        role -> Text,
        password_hash -> Text,
        created_at -> BigInt,
        disabled_at -> Nullable<BigInt>,
        version -> BigInt,
    }
}

diesel::table! {
    api_keys (id) {
        id -> Text,
        person -> Text,
        label -> Text,
        digest -> Text,
        created_at -> BigInt,
        expires_at -> Nullable<BigInt>,
        revoked_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    sessions (id) {
        id -> Text,
        digest -> Text,
        person -> Text,
        stage -> Text,
        browser -> Text,
        created_at -> BigInt,
        seen_at -> BigInt,
        ends_at -> BigInt,
    }
}

diesel::table! {
    sign_in_failures (bucket) {
        bucket -> Text,
        failures -> BigInt,
        last_at -> BigInt,
        open_at -> BigInt,
    }
}

diesel::table! {
    password_links (digest) {
        digest -> Text,
        kind -> Text,
        person -> Nullable<Text>,
        created_at -> BigInt,
        ends_at -> BigInt,
        used_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    second_factors (person) {
        person -> Text,
        sealed -> Binary,
        created_at -> BigInt,
        confirmed_at -> Nullable<BigInt>,
        last_step -> BigInt,
    }
}

diesel::table! {
    recovery_codes (digest) {
        digest -> Text,
        person -> Text,
        used_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    sent_forms (digest) {
        digest -> Text,
        sent_at -> BigInt,
        led_to -> Nullable<Text>,
    }
}

diesel::table! {
    vendors (id) {
        id -> Text,
        legal_name -> Text,
        name_key -> Text,
        trade_name -> Nullable<Text>,
        country -> Text,
        address -> Nullable<Text>,
        role -> Text,
        tier -> Text,
        tier_note -> Nullable<Text>,
        owner -> Text,
        contacts -> Text,
        data_locations -> Text,
        lifecycle -> Text,
        lifecycle_since -> BigInt,
        created_at -> BigInt,
        updated_at -> BigInt,
        version -> BigInt,
        review_until -> Nullable<BigInt>,
    }
}

diesel::table! {
    assessments (id) {
        id -> Text,
        vendor -> Text,
        kind -> Text,
        template -> Text,
        status -> Text,
        open -> Bool,
        decided_at -> Nullable<BigInt>,
        questionnaire -> Nullable<Text>,
        answers -> Text,
        score -> Nullable<Text>,
        opened_by -> Text,
        opened_at -> BigInt,
        version -> BigInt,
        state -> Text,
    }
}

diesel::table! {
    evidence (id) {
        id -> Text,
        vendor -> Text,
        name -> Text,
        kind -> Text,
        issued -> Text,
        expires -> Nullable<Text>,
        mandatory -> Bool,
        sha256 -> Text,
        bytes -> BigInt,
        uploaded_by -> Text,
        uploaded_at -> BigInt,
        accepted_by -> Nullable<Text>,
    }
}

diesel::table! {
    agreements (id) {
        id -> Text,
        vendor -> Text,
        reference -> Text,
        kind -> Text,
        created_at -> BigInt,
        ended_at -> Nullable<BigInt>,
        version -> BigInt,
    }
}

diesel::table! {
    agreement_versions (agreement, number) {
        agreement -> Text,
        number -> Integer,
        terms -> Text,
        status -> Text,
        signed_from -> Nullable<BigInt>,
        document -> Nullable<Text>,
        author -> Text,
        authors -> Text,
        approver -> Nullable<Text>,
        comment -> Nullable<Text>,
        signatures -> Text,
        created_at -> BigInt,
        version -> BigInt,
        state -> Text,
        signed_until -> Nullable<BigInt>,
    }
}

diesel::table! {
    sources (id) {
        id -> Text,
        name -> Text,
        location -> Text,
        created_at -> BigInt,
        version -> BigInt,
    }
}

diesel::table! {
    subject_domains (name) {
        name -> Text,
        logical_type -> Text,
    }
}

diesel::table! {
    datasets (id) {
        id -> Text,
        name -> Text,
        source -> Text,
        table_name -> Text,
        fields -> Text,
        subject_field -> Text,
        subject_domain -> Text,
        created_at -> BigInt,
        version -> BigInt,
    }
}

diesel::table! {
    permits (key) {
        key -> Text,
        agreement -> Text,
        vendor -> Text,
        paused_at -> Nullable<BigInt>,
        ended_at -> Nullable<BigInt>,
        version -> BigInt,
    }
}

diesel::table! {
    permit_revisions (permit, number) {
        permit -> Text,
        number -> Integer,
        agreement_version -> Integer,
        dataset -> Text,
        terms -> Text,
        status -> Text,
        policy -> Nullable<Text>,
        author -> Text,
        authors -> Text,
        approver -> Nullable<Text>,
        created_at -> BigInt,
        in_force_at -> Nullable<BigInt>,
        version -> BigInt,
        purpose -> Text,
    }
}

diesel::table! {
    clients (id) {
        id -> Text,
        vendor -> Text,
        name -> Text,
        permits -> Nullable<Text>,
        secret_digest -> Nullable<Text>,
        created_at -> BigInt,
        revoked_at -> Nullable<BigInt>,
        version -> BigInt,
        authentication -> Text,
        dpop -> Text,
        addresses -> Nullable<Text>,
        old_secret_digest -> Nullable<Text>,
        old_secret_until -> Nullable<BigInt>,
    }
}

diesel::table! {
    tokens (id) {
        id -> Text,
        client -> Text,
        vendor -> Text,
        scope -> Text,
        issued_at -> BigInt,
        expires_at -> BigInt,
        revoked_at -> Nullable<BigInt>,
        kind -> Text,
        secret_digest -> Nullable<Text>,
        bound_to -> Nullable<Text>,
        kid -> Nullable<Text>,
    }
}

diesel::table! {
    activation_links (digest) {
        digest -> Text,
        client -> Text,
        token -> Nullable<Text>,
        grace_seconds -> BigInt,
        created_at -> BigInt,
        ends_at -> BigInt,
        used_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    sealed_keys (name) {
        name -> Text,
        sealed -> Binary,
        public -> Nullable<Text>,
        created_at -> BigInt,
        retired_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    quota_use (permit, day) {
        permit -> Text,
        day -> Text,
        used -> BigInt,
        subjects -> BigInt,
    }
}

diesel::table! {
    subject_use (permit, day, subject) {
        permit -> Text,
        day -> Text,
        subject -> BigInt,
    }
}

diesel::table! {
    request_use (permit) {
        permit -> Text,
        minute -> BigInt,
        used -> BigInt,
    }
}

diesel::table! {
    open_streams (release_id) {
        release_id -> Text,
        broker -> Text,
        vendor -> Text,
        client -> Text,
        permit -> Text,
        dataset -> Text,
        purpose -> Text,
        opened_at -> BigInt,
        token -> Nullable<Text>,
    }
}

diesel::table! {
    tolls (release_id, number) {
        release_id -> Text,
        number -> BigInt,
        rows -> BigInt,
        bytes -> BigInt,
        segment -> Text,
        at -> BigInt,
    }
}

diesel::table! {
    counters (scope) {
        scope -> Text,
        value -> BigInt,
    }
}

diesel::table! {
    history_head (id) {
        id -> Integer,
        size -> BigInt,
    }
}

diesel::table! {
    history_entries (order_no) {
        order_no -> BigInt,
        position -> Nullable<BigInt>,
        at -> BigInt,
        kind -> Text,
        hash -> Text,
        bytes -> Binary,
        beside -> Nullable<Binary>,
        beside_salt -> Nullable<Text>,
        noun -> Nullable<Text>,
        vendor -> Nullable<Text>,
        client -> Nullable<Text>,
        permit -> Nullable<Text>,
        dataset -> Nullable<Text>,
        purpose -> Nullable<Text>,
        outcome -> Nullable<Text>,
        gate -> Nullable<Text>,
        person -> Nullable<Text>,
        release_id -> Nullable<Text>,
        policy -> Nullable<Text>,
    }
}

diesel::table! {
    history_hours (hour, kind) {
        hour -> BigInt,
        kind -> Text,
        entries -> BigInt,
        first_position -> BigInt,
        last_position -> BigInt,
    }
}

diesel::table! {
    consent_head (id) {
        id -> BigInt,
        watermark -> BigInt,
    }
}

diesel::table! {
    consent_counts (domain, signal, purpose) {
        domain -> Text,
        signal -> Text,
        purpose -> Text,
        subjects -> BigInt,
        standing -> BigInt,
    }
}

diesel::table! {
    hierarchies (name, version) {
        name -> Text,
        version -> BigInt,
        digest -> Text,
        value_count -> BigInt,
        texts -> Text,
        beginning -> Text,
        bytes -> BigInt,
        content -> Text,
        created_at -> BigInt,
    }
}

diesel::table! {
    segments (digest) {
        digest -> Text,
        bytes -> Binary,
    }
}

diesel::table! {
    vocabulary_terms (kind, key) {
        kind -> Text,
        key -> Text,
        title -> Text,
        description -> Text,
        direct_marketing -> Bool,
        sale -> Bool,
        special -> Bool,
        created_at -> BigInt,
        retired_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    signing_keys (kid) {
        kid -> Text,
        public -> Text,
        made_at -> BigInt,
        signs_from -> BigInt,
        retired_at -> Nullable<BigInt>,
        leaves_at -> Nullable<BigInt>,
        revoked_at -> Nullable<BigInt>,
        reason -> Nullable<Text>,
    }
}

diesel::table! {
    kill_switch (scope) {
        scope -> Text,
        stopped_at -> BigInt,
        stopped_by -> Text,
        reason -> Text,
        lifted_at -> Nullable<BigInt>,
    }
}

diesel::joinable!(api_keys -> people (person));
diesel::joinable!(sessions -> people (person));
diesel::joinable!(agreement_versions -> agreements (agreement));
diesel::joinable!(permit_revisions -> permits (permit));
diesel::allow_tables_to_appear_in_same_query!(agreement_versions, agreements);
diesel::allow_tables_to_appear_in_same_query!(api_keys, people);
diesel::allow_tables_to_appear_in_same_query!(sessions, people);
diesel::allow_tables_to_appear_in_same_query!(permit_revisions, permits);
diesel::allow_tables_to_appear_in_same_query!(datasets, permit_revisions);
diesel::allow_tables_to_appear_in_same_query!(datasets, permits);
