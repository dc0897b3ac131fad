package io.counters.collector;

import io.counters.collector.access.AccessSettings;
import io.counters.collector.dashboard.DashboardSettings;
import io.counters.collector.doctor.Doctor;
import io.counters.collector.fleet.FleetSettings;
import io.counters.collector.history.HistorySettings;
import io.counters.collector.intake.IntakeSettings;
import io.counters.collector.intake.KeySettings;
import io.counters.collector.intake.UnixSettings;
import io.counters.collector.ledger.LedgerSettings;
import io.counters.collector.otlp.OtlpSettings;
import io.counters.collector.publish.PublishSettings;
import io.counters.collector.settings.Settings;
import io.counters.collector.settings.SettingsException;
import io.counters.collector.store.StoreSettings;
import java.util.Optional;

/**
 * The settings of every package.
 *
 * @param keys empty if signatures are not checked
 * @param fleet empty if the ledger is embedded
 * @param otlp empty if there is no port for OTLP and HTTP
 */
record CollectorSettings(
        AccessSettings access,
        IntakeSettings taking,
        UnixSettings unix,
        Optional<KeySettings> keys,
        LedgerSettings keeping,
        StoreSettings storing,
        DashboardSettings showing,
        String prefix,
        PublishSettings publishing,
        HistorySettings history,
        Optional<FleetSettings> fleet,
        Optional<OtlpSettings> otlp) {
    /** @throws SettingsException with every error in the settings */
    static CollectorSettings of(Settings settings) throws SettingsException {
        long heapBytes = Runtime.getRuntime().maxMemory();
        LedgerSettings keeping = LedgerSettings.from(settings, heapBytes);
        PublishSettings publishing = PublishSettings.from(settings);
        AccessSettings access = AccessSettings.from(settings);
        IntakeSettings taking = IntakeSettings.from(settings, access);
        CollectorSettings all = new CollectorSettings(
                access,
                taking,
                UnixSettings.from(settings),
                KeySettings.from(settings),
                keeping,
                StoreSettings.from(settings),
                DashboardSettings.from(settings, access, heapBytes),
                LedgerSettings.prefix(settings),
                publishing,
                HistorySettings.from(
                        settings,
                        keeping.folder(),
                        heapBytes,
                        publishing.interval().toSeconds()),
                FleetSettings.from(settings, publishing.spoolBytes()),
                OtlpSettings.from(settings, taking, access, heapBytes));
        settings.check();
        return all;
    }

    /** Those that {@code doctor} checks further. */
    Doctor.Checked checked() {
        return new Doctor.Checked(access, taking, keys, keeping, storing, showing, publishing, fleet, otlp);
    }
}
