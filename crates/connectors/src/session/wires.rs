//! The sessions of the protocols, as the connection under them sees them.

use std::time::Duration;

use super::Wire;

macro_rules! wire {
    ($($session:ty { is_bound: $is_bound:ident, end: $end:ident })*) => {$(
        impl Wire for $session {
            fn output(&self) -> &[u8] {
                self.output()
            }

            fn consume_output(&mut self, written: usize) {
                self.consume_output(written);
            }

            fn output_is_full(&self) -> bool {
                self.output_is_full()
            }

            fn receive(&mut self, octets: &[u8], now: Duration) -> usize {
                self.receive(octets, now)
            }

            fn transport_closed(&mut self) {
                self.transport_closed();
            }

            fn is_bound(&self) -> bool {
                self.$is_bound()
            }

            fn is_closed(&self) -> bool {
                self.is_closed()
            }

            fn next_deadline(&self) -> Option<Duration> {
                self.next_deadline()
            }

            fn end(&mut self, now: Duration) {
                self.$end(now);
            }
        }
    )*};
}

wire! {
    smpp::Session { is_bound: is_bound, end: unbind }
    ucp::Session { is_bound: is_open, end: finish }
    cimd2::Session { is_bound: is_logged_in, end: logout }
}
