//! What a call is named in events and metrics.
//!
//! Owns reading a method's path, `/package.Service/Method`. Knows neither requests nor channels.

/// The operation name of a call: its path without the slash in front, as in `shop.v1.Orders/Get`.
///
/// That is `rpc.method` of OpenTelemetry's conventions. Services have few methods, so the name is
/// low-cardinality by nature. A path that is not a method's is taken as it is.
///
/// ```
/// assert_eq!(redress::integration::tonic::default_operation("/shop.v1.Orders/Get"), "shop.v1.Orders/Get");
/// ```
#[must_use]
pub fn default_operation(path: &str) -> &str {
    path.strip_prefix('/').unwrap_or(path)
}

/// The service in a path: `shop.v1.Orders` of `/shop.v1.Orders/Get`.
///
/// `None` for a path that is not a method's. Whatever stands before the service, such as the prefix
/// of a proxy, is not part of it.
///
/// ```
/// use redress::integration::tonic::rpc_service_name;
///
/// assert_eq!(rpc_service_name("/shop.v1.Orders/Get"), Some("shop.v1.Orders"));
/// assert_eq!(rpc_service_name("/"), None);
/// ```
#[must_use]
pub fn rpc_service_name(path: &str) -> Option<&str> {
    parts(path).map(|(service, _)| service)
}

/// The method in a path: `Get` of `/shop.v1.Orders/Get`.
///
/// `None` for a path that is not a method's.
///
/// ```
/// assert_eq!(redress::integration::tonic::rpc_method_name("/shop.v1.Orders/Get"), Some("Get"));
/// ```
#[must_use]
pub fn rpc_method_name(path: &str) -> Option<&str> {
    parts(path).map(|(_, method)| method)
}

fn parts(path: &str) -> Option<(&str, &str)> {
    let (before, method) = path.rsplit_once('/')?;
    let service = before.rsplit('/').next()?;
    (!service.is_empty() && !method.is_empty()).then_some((service, method))
}
