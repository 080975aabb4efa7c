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
    }
}

diesel::table! {
    clients (id) {
        id -> Text,
        vendor -> Text,
        name -> Text,
        permits -> Nullable<Text>,
        secret_digest -> Text,
        created_at -> BigInt,
        revoked_at -> Nullable<BigInt>,
        version -> BigInt,
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
    segments (digest) {
        digest -> Text,
        bytes -> Binary,
    }
}

diesel::joinable!(api_keys -> people (person));
diesel::joinable!(permit_revisions -> permits (permit));
diesel::allow_tables_to_appear_in_same_query!(api_keys, people);
diesel::allow_tables_to_appear_in_same_query!(permit_revisions, permits);
